import { expect } from "@playwright/test";
import WebSocket from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import type { Api } from "./api.ts";

const UNAUTHENTICATED = 4401;

/**
 * The `y-websocket` provider as npm has it, in Node.js, with a ticket [SYNC-1]. A ticket is of one use: when the provider
 * was told that it is used up, it goes on with a fresh one.
 */
export class StockProvider {
  readonly doc = new Y.Doc();
  readonly provider: WebsocketProvider;
  /** The codes with which its connections were closed, oldest first. */
  readonly closes: (number | undefined)[] = [];
  private left = false;

  private constructor(
    private readonly api: Api,
    private readonly workflow: string,
    params: Record<string, string>,
    Socket = WebSocket,
  ) {
    this.provider = new WebsocketProvider(`${api.server.socketUrl}/collab`, workflow, this.doc, {
      params,
      WebSocketPolyfill: Socket as unknown as typeof globalThis.WebSocket,
      disableBc: true,
    });
    this.provider.on("connection-close", (event) => this.closes.push(event?.code));
    this.provider.on("closed", ({ code }) => {
      if (code === UNAUTHENTICATED && params.ticket) void this.reconnect();
    });
  }

  static async join(api: Api, workflow: string): Promise<StockProvider> {
    return await new StockProvider(api, workflow, { ticket: await api.collabTicket(workflow) }).joined();
  }

  /**
   * The provider as it was before 3.1: whatever the code, it comes back a tenth of a second after a connection that it
   * had. Its token is in a header, so it is let in each time.
   */
  static async joinRelentless(api: Api, workflow: string): Promise<StockProvider> {
    const headers = { authorization: api.authorization };
    class Authorized extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, { headers });
      }
    }
    const stock = new StockProvider(api, workflow, {}, Authorized as typeof WebSocket);
    const { provider } = stock;
    provider.shouldReconnect = () => true;
    provider.on("status", ({ status }) => {
      if (status === "connected") provider.wsUnsuccessfulReconnects = -1;
    });
    return await stock.joined();
  }

  /** Connects again, with a fresh ticket. */
  async reconnect(): Promise<void> {
    const ticket = await this.api.collabTicket(this.workflow);
    if (this.left) return;
    this.provider.params = { ticket };
    this.provider.connect();
  }

  private async joined(): Promise<this> {
    await expect.poll(() => this.provider.synced).toBe(true);
    return this;
  }

  node(id: string): Y.Map<unknown> {
    const node = this.doc.getMap<Y.Map<unknown>>("nodes").get(id);
    if (!node) throw new Error(`there is no node ${id}`);
    return node;
  }

  data(id: string): Y.Map<unknown> {
    return this.node(id).get("data") as Y.Map<unknown>;
  }

  close(): void {
    this.left = true;
    this.provider.destroy();
    this.doc.destroy();
  }
}
