import { expect } from "@playwright/test";
import { DEMO, type Server } from "./server.ts";

export interface DiagramNode {
  id: string;
  position: { x: number; y: number };
  data: { label: string; nodeType: string; config: Record<string, unknown> };
}

export interface DiagramEdge {
  id: string;
  source: string;
  target: string;
  sourceHandle?: string;
  targetHandle?: string;
}

export interface Diagram {
  nodes: DiagramNode[];
  edges: DiagramEdge[];
}

export interface Run {
  id: string;
  status: string;
  nodes: { node_id: string; status: string; rows_out: number; attempt: number }[];
}

export interface RunEvent {
  seq: number;
  type: string;
  node_id?: string;
}

export interface Person {
  name: string;
  email: string;
  password: string;
}

export interface Version {
  number: number;
  note: string;
  published: boolean;
  authors: { id: string; name: string | null }[];
}

const FINAL = ["success", "error", "canceled", "timeout"];

/** The REST interface, signed in as somebody: the demo user, unless said otherwise. */
export class Api {
  private constructor(
    readonly server: Server,
    private readonly token: string,
  ) {}

  static async signIn(server: Server, { email, password }: Pick<Person, "email" | "password"> = DEMO): Promise<Api> {
    const response = await fetch(`${server.url}/api/v1/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ email, password }),
    });
    expect(response.status).toBe(200);
    const session = (await response.json()) as { access_token: string };
    return new Api(server, session.access_token);
  }

  /** The same server for another person. */
  async as(person: Pick<Person, "email" | "password">): Promise<Api> {
    return await Api.signIn(this.server, person);
  }

  /** A new workflow with this diagram, in the demo workspace. */
  async createWorkflow(name: string, diagram: Partial<Diagram> = {}): Promise<string> {
    const workspaces = await this.send<{ items: { id: string }[] }>("GET", "/workspaces");
    const file = { format_version: 1, name, diagram };
    const body = { workspace_id: workspaces.items[0]?.id, file };
    return (await this.send<{ id: string }>("POST", "/workflows/import", body)).id;
  }

  /** A fresh copy of an example, so that tests do not see one another's edits. */
  async copyExample(name: string): Promise<string> {
    const found = await this.send<{ items: { id: string; name: string }[] }>(
      "GET",
      `/workflows?q=${encodeURIComponent(name)}`,
    );
    const example = found.items.find((workflow) => workflow.name === name);
    expect(example, `the demo workspace has ${name}`).toBeDefined();
    return await this.createWorkflow(`${name}, a copy`, await this.diagram(example?.id ?? ""));
  }

  async diagram(workflow: string): Promise<Diagram> {
    return await this.send("GET", `/workflows/${workflow}/diagram`);
  }

  async patchDiagram(workflow: string, patch: object): Promise<Diagram> {
    return await this.send("PATCH", `/workflows/${workflow}/diagram`, patch);
  }

  async versions(workflow: string): Promise<Version[]> {
    return (await this.send<{ items: Version[] }>("GET", `/workflows/${workflow}/versions`)).items;
  }

  async startRun(workflow: string): Promise<string> {
    return (await this.send<{ id: string }>("POST", `/workflows/${workflow}/runs`, {})).id;
  }

  async run(run: string): Promise<Run> {
    return await this.send("GET", `/runs/${run}`);
  }

  async runOf(workflow: string): Promise<Run> {
    const runs = await this.send<{ items: { id: string }[] }>("GET", `/runs?workflow_id=${workflow}`);
    return await this.run(runs.items[0]?.id ?? "");
  }

  async finished(run: string): Promise<Run> {
    await expect.poll(async () => FINAL.includes((await this.run(run)).status), { timeout: 60_000 }).toBe(true);
    return await this.run(run);
  }

  /** The run's whole journal. */
  async events(run: string): Promise<RunEvent[]> {
    const events: RunEvent[] = [];
    for (;;) {
      const after = events.at(-1)?.seq ?? 0;
      const page = await this.send<{ items: RunEvent[] }>("GET", `/runs/${run}/events?after=${after}`);
      if (page.items.length === 0) return events;
      events.push(...page.items);
    }
  }

  async output(run: string, node: string): Promise<Record<string, unknown>[]> {
    const page = await this.send<{ items: Record<string, unknown>[] }>("GET", `/runs/${run}/nodes/${node}/output`);
    return page.items;
  }

  /** Adds a person to the tenant; gives their id. */
  async addPerson(person: Person, role: string): Promise<string> {
    return (await this.send<{ id: string }>("POST", "/users", { ...person, role })).id;
  }

  async changeRole(person: string, role: string): Promise<void> {
    await this.send("PATCH", `/users/${person}`, { role });
  }

  async removePerson(person: string): Promise<void> {
    await this.send("DELETE", `/users/${person}`);
  }

  /** What proves who this is, as a header. */
  get authorization(): string {
    return `Bearer ${this.token}`;
  }

  async collabTicket(workflow: string): Promise<string> {
    const body = { purpose: "collab", workflow_id: workflow };
    return (await this.send<{ ticket: string }>("POST", "/auth/tickets", body)).ticket;
  }

  private async send<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${this.server.url}/api/v1${path}`, {
      method,
      headers: { authorization: this.authorization, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }
}
