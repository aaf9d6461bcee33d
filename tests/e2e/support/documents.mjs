// JavaScript's Yjs documents for a test in another language: one command a line comes in, one answer a line goes out.
// Bytes are hexadecimal. A document is named by a number; `open` makes it with a client id.
import { createInterface } from "node:readline";
import * as Y from "yjs";

const ROOTS = ["meta", "nodes", "edges", "notes", "threads"];
const REMOTE = "remote";
const documents = new Map();

const text = (bytes) => Buffer.from(bytes).toString("hex");
const bytes = (text) => new Uint8Array(Buffer.from(text, "hex"));

function open({ document, client }) {
  const doc = new Y.Doc();
  doc.clientID = client;
  const roots = ROOTS.map((root) => doc.getMap(root));
  const said = [];
  doc.on("update", (update, origin) => origin !== REMOTE && said.push(text(update)));
  documents.set(document, { doc, said, undo: new Y.UndoManager(roots, { captureTimeout: 0 }) });
}

function addNode(doc, { id, text }) {
  const config = new Y.Map([["query", new Y.Text(text)]]);
  const data = new Y.Map([["label", id], ["nodeType", "sql"], ["config", config]]);
  doc.getMap("nodes").set(id, new Y.Map([["type", "custom-node"], ["position", { x: 0, y: 0 }], ["data", data]]));
}

const config = (doc, id) => doc.getMap("nodes").get(id)?.get("data")?.get("config");

/** The same edits as the test's own documents make. */
const edits = {
  add: ({ doc }, edit) => doc.transact(() => addNode(doc, edit)),
  remove: ({ doc }, { id }) => doc.getMap("nodes").delete(id),
  move: ({ doc }, { id, x, y }) => doc.getMap("nodes").get(id)?.set("position", { x, y }),
  set: ({ doc }, { id, key, value }) => config(doc, id)?.set(key, value),
  unset: ({ doc }, { id, key }) => config(doc, id)?.delete(key),
  connect: ({ doc }, { from, to }) =>
    doc.getMap("edges").set(`${from}-${to}`, new Y.Map([["source", from], ["target", to]])),
  insert: ({ doc }, { id, at, text }) => {
    const query = config(doc, id)?.get("query");
    if (query instanceof Y.Text) query.insert(at % (query.length + 1), text);
  },
  delete: ({ doc }, { id, at, length }) => {
    const query = config(doc, id)?.get("query");
    if (!(query instanceof Y.Text) || query.length === 0) return;
    const from = at % query.length;
    query.delete(from, Math.min(length, query.length - from));
  },
  undo: ({ undo }) => undo.undo(),
  redo: ({ undo }) => undo.redo(),
};

const commands = {
  open,
  edit: ({ document, edit }) => {
    const opened = documents.get(document);
    edits[edit.kind](opened, edit);
    return opened.said.splice(0);
  },
  apply: ({ document, update }) => Y.applyUpdate(documents.get(document).doc, bytes(update), REMOTE),
  state: ({ document }) => text(Y.encodeStateVector(documents.get(document).doc)),
  diff: ({ document, since }) => text(Y.encodeStateAsUpdate(documents.get(document).doc, bytes(since))),
  json: ({ document }) =>
    Object.fromEntries(ROOTS.map((root) => [root, documents.get(document).doc.getMap(root).toJSON()])),
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  const answer = commands[command.command](command) ?? null;
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
