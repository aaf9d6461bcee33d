import type { Page } from "@playwright/test";

const ACK = 100;

/** What the server says is committed, held back on its way to a page: a store that is slow [SYNC-3]. */
export class HeldAcknowledgements {
  private holding = false;
  private held: (() => void)[] = [];

  private constructor() {}

  /** For the canvases that the page opens from now on. */
  static async of(page: Page): Promise<HeldAcknowledgements> {
    const acknowledgements = new HeldAcknowledgements();
    await page.routeWebSocket(/\/collab\//, (socket) => {
      socket.connectToServer().onMessage((message) => acknowledgements.pass(message, () => socket.send(message)));
    });
    return acknowledgements;
  }

  get count(): number {
    return this.held.length;
  }

  hold(): void {
    this.holding = true;
  }

  releaseOldest(): void {
    this.held.shift()?.();
  }

  release(): void {
    this.holding = false;
    for (const send of this.held.splice(0)) send();
  }

  private pass(message: string | Buffer, send: () => void): void {
    if (this.holding && typeof message !== "string" && message[0] === ACK) this.held.push(send);
    else send();
  }
}
