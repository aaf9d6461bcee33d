import { expect } from "@playwright/test";
import WebSocket from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import type { Api } from "./api.ts";

/** The `y-websocket` provider as npm has it, in Node.js, with a ticket [SYNC-1]. */
export class StockProvider {
  readonly doc = new Y.Doc();
  readonly provider: WebsocketProvider;

  private constructor(api: Api, workflow: string, ticket: string) {
    this.provider = new WebsocketProvider(`${api.server.socketUrl}/collab`, workflow, this.doc, {
      params: { ticket },
      WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
      disableBc: true,
    });
  }

  static async join(api: Api, workflow: string): Promise<StockProvider> {
    const joined = new StockProvider(api, workflow, await api.collabTicket(workflow));
    await expect.poll(() => joined.provider.synced).toBe(true);
    return joined;
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
    this.provider.destroy();
    this.doc.destroy();
  }
}
