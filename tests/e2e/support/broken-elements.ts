import * as Y from "yjs";

type Roots = Record<"nodes" | "edges" | "notes" | "meta", Y.Map<unknown>>;

const node = (changes: Record<string, unknown> = {}): Y.Map<unknown> =>
  new Y.Map<unknown>(Object.entries({ type: "custom-node", position: { x: 0, y: 200 }, data: data(), ...changes }));
const data = (changes: Record<string, unknown> = {}): Y.Map<unknown> =>
  new Y.Map<unknown>(Object.entries({ label: "B", nodeType: "limit", config: new Y.Map(), ...changes }));
const edge = (changes: Record<string, unknown>): Y.Map<unknown> => new Y.Map<unknown>(Object.entries(changes));

function deep(levels: number): Y.Map<unknown> {
  const top = new Y.Map<unknown>();
  let map = top;
  for (let level = 1; level < levels; level++) {
    const inner = new Y.Map<unknown>();
    map.set("a", inner);
    map = inner;
  }
  return top;
}

/** What somebody may write beside the good nodes `good` and `other`, by what is wrong with it [CANVAS-9]. */
export const BROKEN_ELEMENTS: Record<string, (roots: Roots) => void> = {
  "a text as node": ({ nodes }) => nodes.set("bad", "x"),
  "a shared text as node": ({ nodes }) => nodes.set("bad", new Y.Text("x")),
  "a list as node": ({ nodes }) => nodes.set("bad", [1, 2]),
  "a shared list as node": ({ nodes }) => nodes.set("bad", Y.Array.from([1])),
  "a plain object as node": ({ nodes }) => nodes.set("bad", { data: { label: "x" } }),
  "a number as node": ({ nodes }) => nodes.set("bad", 7),
  "null as node": ({ nodes }) => nodes.set("bad", null),
  "bytes as node": ({ nodes }) => nodes.set("bad", new Uint8Array([1])),
  "an empty map as node": ({ nodes }) => nodes.set("bad", new Y.Map()),
  "a node whose data is plain": ({ nodes }) => nodes.set("bad", node({ data: { label: "x" } })),
  "a node whose data is a text": ({ nodes }) => nodes.set("bad", node({ data: "x" })),
  "a config that is a text": ({ nodes }) => nodes.set("bad", node({ data: data({ config: "x" }) })),
  "a config that is a list": ({ nodes }) => nodes.set("bad", node({ data: data({ config: Y.Array.from([1]) }) })),
  "a config that is nested deep": ({ nodes }) => nodes.set("bad", node({ data: data({ config: deep(60) }) })),
  "a position of NaN": ({ nodes }) => nodes.set("bad", node({ position: { x: Number.NaN, y: Infinity } })),
  "a position of texts": ({ nodes }) => nodes.set("bad", node({ position: { x: "a", y: [] } })),
  "a position that is shared": ({ nodes }) => nodes.set("bad", node({ position: new Y.Map([["x", 1]]) })),
  "a position beyond all bounds": ({ nodes }) => nodes.set("bad", node({ position: { x: 1e308, y: -1e308 } })),
  "a label that is a map": ({ nodes }) => nodes.set("bad", node({ data: data({ label: new Y.Map([["a", 1]]) }) })),
  "a kind that is a list": ({ nodes }) => nodes.set("bad", node({ data: data({ nodeType: [] }) })),
  "a kind of an object's own": ({ nodes }) => nodes.set("constructor", node({ data: data({ nodeType: "__proto__" }) })),
  "fields of other kinds": ({ nodes }) =>
    nodes.set("bad", node({ data: data({ config: new Y.Map<unknown>([["rows", new Y.Map()], ["offset", [[]]]]) }) })),
  "notes and sizes of other kinds": ({ nodes }) =>
    nodes.set("bad", node({ width: "wide", height: {}, data: data({ notes: [], disabled: "no" }) })),
  "an empty id": ({ nodes }) => nodes.set("", node()),
  "an id that is long and odd": ({ nodes }) => nodes.set(`"]\\'${"x".repeat(3_000)}`, node()),
  "a node that is its own parent": ({ nodes }) => nodes.set("bad", node({ parentId: "bad" })),
  "parents in a circle": ({ nodes }) => {
    for (const [id, parentId] of [["a", "b"], ["b", "c"], ["c", "a"]]) nodes.set(id as string, node({ parentId }));
  },
  "a text as edge": ({ edges }) => edges.set("bad", "x"),
  "a plain object as edge": ({ edges }) => edges.set("bad", { source: "good", target: "other" }),
  "an edge without ends": ({ edges }) => edges.set("bad", new Y.Map()),
  "an edge whose ends are numbers": ({ edges }) => edges.set("bad", edge({ source: 1, target: {} })),
  "an edge to a node that cannot be read": ({ nodes, edges }) => {
    nodes.set("bad", "x");
    edges.set("bad", edge({ source: "good", target: "bad" }));
  },
  "an edge with ports of other kinds": ({ edges }) =>
    edges.set("bad", edge({ source: "good", target: "other", sourceHandle: 1, targetHandle: [] })),
  "an edge to itself": ({ edges }) => edges.set("bad", edge({ source: "good", target: "good" })),
  "texts as notes": ({ notes }) => notes.set("bad", "x"),
  "a viewport that is none": ({ meta }) => meta.set("viewport", { x: Number.NaN, y: "a", zoom: -1 }),
};
