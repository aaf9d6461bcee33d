import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

export const DEMO = { email: "demo@troupe.local", password: "e2e-demo-password" };

const START_MS_MAX = 30_000;

/** The real binary on a free port, with an embedded store in a temporary folder. */
export class Server {
  private process: ChildProcess | undefined;
  private output = "";

  private constructor(
    private readonly port: number,
    private readonly folder: string,
    private readonly settings: Record<string, string>,
  ) {}

  /** Starts a server on a fresh store, with settings of its own. */
  static async start(settings: Record<string, string> = {}): Promise<Server> {
    const server = new Server(await freePort(), mkdtempSync(join(tmpdir(), "troupe-e2e-")), settings);
    await server.up();
    return server;
  }

  get url(): string {
    return `http://localhost:${this.port}`;
  }

  get socketUrl(): string {
    return `ws://localhost:${this.port}`;
  }

  /** Starts the process on the store as it is, and returns when it serves. */
  async up(): Promise<void> {
    const child = spawn(binary(), ["serve"], { cwd: this.folder, env: this.environment() });
    this.process = child;
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (this.output += text));
    const until = Date.now() + START_MS_MAX;
    while (!(await this.isReady())) {
      if (child.exitCode !== null || Date.now() > until) throw new Error(`the server did not start:\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** The process dies at once, without a word to anyone. */
  async kill(): Promise<void> {
    await this.end("SIGKILL");
  }

  /** The process ends in order. Returns its exit code. */
  async down(): Promise<number | null> {
    return await this.end("SIGTERM");
  }

  /** Ends the process and removes the store. */
  async remove(): Promise<void> {
    await this.down();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.process;
    this.process = undefined;
    if (!child || child.exitCode !== null) return child?.exitCode ?? null;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
    return child.exitCode;
  }

  private async isReady(): Promise<boolean> {
    return await fetch(`${this.url}/health/ready`).then(
      (response) => response.ok,
      () => false,
    );
  }

  private environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      TROUPE_DATA_DIR: join(this.folder, "data"),
      TROUPE_SERVER__ADDRESS: "127.0.0.1",
      TROUPE_SERVER__PORT: String(this.port),
      TROUPE_DEMO__PASSWORD: DEMO.password,
      TROUPE_AUTH__LOGIN_ATTEMPTS_PER_MINUTE_PER_ACCOUNT: "10000",
      TROUPE_AUTH__LOGIN_ATTEMPTS_PER_MINUTE_PER_ADDRESS: "10000",
      ...this.settings,
    };
  }
}

function binary(): string {
  const target = process.env.CARGO_TARGET_DIR ?? join(homedir(), ".cache/troupe/target");
  return join(target, "debug/troupe");
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
