import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import WebSocket from "ws";
import * as sync from "y-protocols/sync";
import * as Y from "yjs";

const SYNC = 0;
const ACK = 100;

/**
 * An editor that asks for durable acknowledgements [SYNC-3]: `acknowledged` holds the edits that the server said are
 * committed, so they must survive whatever happens next.
 */
export class AcknowledgedEditor {
  readonly acknowledged: string[] = [];
  private readonly doc = new Y.Doc();
  /** What each update-carrying frame that was sent held: a node's id, or nothing. */
  private readonly sent: (string | undefined)[] = [];
  private watchers: (() => void)[] = [];
  private synced = false;

  private constructor(private readonly socket: WebSocket) {
    socket.binaryType = "arraybuffer";
    socket.on("message", (data: ArrayBuffer) => this.receive(new Uint8Array(data)));
    socket.on("error", () => undefined);
  }

  static async join(url: string): Promise<AcknowledgedEditor> {
    const socket = new WebSocket(url);
    const editor = new AcknowledgedEditor(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("open", () => resolve());
      socket.once("error", reject);
    });
    editor.send(undefined, (encoder) => sync.writeSyncStep1(encoder, editor.doc), false);
    await editor.until(() => editor.synced);
    return editor;
  }

  /** One edit, one frame. */
  addNode(id: string): void {
    const before = Y.encodeStateVector(this.doc);
    this.doc.transact(() => {
      const data = new Y.Map<unknown>([
        ["label", id],
        ["nodeType", "manual_trigger"],
        ["config", new Y.Map()],
      ]);
      const node = new Y.Map<unknown>([
        ["type", "custom-node"],
        ["position", { x: 0, y: 0 }],
        ["data", data],
      ]);
      this.doc.getMap("nodes").set(id, node);
    });
    this.send(id, (encoder) => sync.writeUpdate(encoder, Y.encodeStateAsUpdate(this.doc, before)));
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.watchers.push(resolve));
  }

  close(): void {
    this.socket.terminate();
  }

  private receive(frame: Uint8Array): void {
    const decoder = decoding.createDecoder(frame);
    const kind = decoding.readVarUint(decoder);
    if (kind === ACK) {
      const count = decoding.readVarUint(decoder);
      const nodes = this.sent.slice(0, count).filter((id) => id !== undefined);
      this.acknowledged.push(...nodes.slice(this.acknowledged.length));
    } else if (kind === SYNC) {
      const reply = encoding.createEncoder();
      encoding.writeVarUint(reply, SYNC);
      const message = sync.readSyncMessage(decoder, reply, this.doc, this);
      if (message === sync.messageYjsSyncStep1) {
        this.sent.push(undefined);
        this.socket.send(encoding.toUint8Array(reply));
      }
      if (message === sync.messageYjsSyncStep2) this.synced = true;
    }
    const watchers = this.watchers;
    this.watchers = [];
    for (const wake of watchers) wake();
  }

  private send(id: string | undefined, write: (encoder: encoding.Encoder) => void, carriesUpdate = true): void {
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, SYNC);
    write(encoder);
    if (carriesUpdate) this.sent.push(id);
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(encoding.toUint8Array(encoder));
  }
}
