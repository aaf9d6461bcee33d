import { expect } from "@playwright/test";
import { HocuspocusProvider, HocuspocusProviderWebsocket } from "@hocuspocus/provider";
import WebSocket from "ws";
import * as Y from "yjs";
import type { Api } from "./api.ts";

/** One socket of the `@hocuspocus/provider` as npm has it, in Node.js, for any number of documents [SYNC-2]. */
export function hocuspocusSocket(api: Api): HocuspocusProviderWebsocket {
  return new HocuspocusProviderWebsocket({
    url: `${api.server.socketUrl}/collab`,
    WebSocketPolyfill: WebSocket,
    delay: 200,
    minDelay: 200,
    maxDelay: 1_000,
  });
}

/** One document on such a socket, authenticated by a ticket for each time that it connects. */
export class StockHocuspocus {
  readonly doc = new Y.Doc();
  readonly provider: HocuspocusProvider;
  readonly failures: string[] = [];

  constructor(
    api: Api,
    readonly socket: HocuspocusProviderWebsocket,
    workflow: string,
    token: () => Promise<string> = () => api.collabTicket(workflow),
    sessionAwareness = false,
  ) {
    this.provider = new HocuspocusProvider({
      websocketProvider: socket,
      name: workflow,
      document: this.doc,
      token,
      sessionAwareness,
      onAuthenticationFailed: ({ reason }) => this.failures.push(reason),
    });
    this.provider.attach();
  }

  static async join(api: Api, socket: HocuspocusProviderWebsocket, workflow: string): Promise<StockHocuspocus> {
    const joined = new StockHocuspocus(api, socket, workflow);
    await joined.synced();
    return joined;
  }

  async synced(): Promise<void> {
    await expect.poll(() => this.provider.synced).toBe(true);
    await expect.poll(() => this.provider.unsyncedChanges).toBe(0);
  }

  /** One edit, one change. */
  addNode(id: string): void {
    this.doc.getMap("nodes").set(id, triggerNode(id));
  }

  get nodes(): string[] {
    return [...this.doc.getMap("nodes").keys()].sort();
  }

  /** What everybody's awareness has as the cursor. */
  get cursors(): unknown[] {
    return [...(this.provider.awareness?.getStates().values() ?? [])].map((state) => state.cursor);
  }

  close(): void {
    this.provider.destroy();
    this.doc.destroy();
  }
}

export function triggerNode(label: string): Y.Map<unknown> {
  const data = new Y.Map<unknown>([
    ["label", label],
    ["nodeType", "manual_trigger"],
    ["config", new Y.Map()],
  ]);
  return new Y.Map<unknown>([
    ["type", "custom-node"],
    ["position", { x: 0, y: 0 }],
    ["data", data],
  ]);
}
