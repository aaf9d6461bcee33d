/**
 * The canvas document: root maps `meta`, `nodes`, `edges`, `notes`, `threads`, and every edit that the editor makes.
 *
 * Each edit touches only what it changes, so that the edits of two people merge. Edits carry this document's origin:
 * undo takes back what was done here and never another person's work.
 */
import * as Y from 'yjs'
import type { DiagramEdge, DiagramNode, Fragment, Point } from './diagram'
import { OwnUndo } from './own-undo'
import { configEntries, configOf, isPlainObject, pointOf, readEdge, readNode, textOf } from './read'

type Entry = Y.Map<unknown>

/** Which config keys of a node type are shared text; those that it requires, it has from the start. */
export type CodeKeys = (nodeType: string) => CodeFields

export interface CodeFields {
  all: ReadonlySet<string>
  required: readonly string[]
}

const NO_CODE: CodeFields = { all: new Set(), required: [] }
const ORIGIN: Point = { x: 0, y: 0 }
/** Edits that follow one another within this time are one step of undo. */
const TOGETHER_MS = 400

/** Where elements stand that the page looks at. */
export type Root = 'nodes' | 'edges' | 'notes' | 'meta'

export class CanvasDocument {
  readonly doc: Y.Doc
  /** Whatever somebody has put there. */
  readonly nodes: Y.Map<unknown>
  readonly edges: Y.Map<unknown>
  readonly notes: Y.Map<unknown>
  readonly meta: Y.Map<unknown>
  readonly undo: OwnUndo
  /** Nothing may be edited: no edit, undo or redo does anything. */
  readOnly = false
  readonly #codeKeys: CodeKeys

  constructor(codeKeys: CodeKeys = () => NO_CODE, doc = new Y.Doc()) {
    this.doc = doc
    this.nodes = doc.getMap('nodes')
    this.edges = doc.getMap('edges')
    this.notes = doc.getMap('notes')
    this.meta = doc.getMap('meta')
    this.#codeKeys = codeKeys
    this.undo = new OwnUndo([this.nodes, this.edges, this.notes, this.meta], {
      trackedOrigins: new Set([this]),
      captureTimeout: TOGETHER_MS,
    })
  }

  // --- reading ---

  /** `undefined`: there is none, or it is too broken to be edited. */
  node(id: string): DiagramNode | undefined {
    const read = readNode(id, this.nodes.get(id))
    if (!read.whole) return undefined
    const { position = ORIGIN, label, nodeType, connectorType, disabled, notes, parentId, width, height } = read
    return {
      id,
      type: 'custom-node',
      position,
      data: {
        label,
        nodeType,
        ...(connectorType === undefined ? {} : { connectorType }),
        config: configOf(this.data(id)?.get('config')),
        ...(disabled ? { disabled: true } : {}),
        ...(notes === undefined ? {} : { notes }),
      },
      ...(parentId === undefined ? {} : { parentId }),
      ...(width === undefined ? {} : { width }),
      ...(height === undefined ? {} : { height }),
    }
  }

  edge(id: string): DiagramEdge | undefined {
    return readEdge(id, this.edges.get(id)).edge
  }

  /** The edges whose both ends exist. */
  liveEdges(): DiagramEdge[] {
    return [...this.edges.keys()]
      .map((id) => this.edge(id))
      .filter((edge) => edge !== undefined)
      .filter((edge) => this.#entry(edge.source) && this.#entry(edge.target))
  }

  data(id: string): Entry | undefined {
    const data = this.#entry(id)?.get('data')
    return data instanceof Y.Map ? data : undefined
  }

  nodeType(id: string): string {
    return textOf(this.data(id)?.get('nodeType')) ?? ''
  }

  /** One value of a node's config, as it stands in the document. */
  configValue(id: string, key: string): unknown {
    const config = this.data(id)?.get('config')
    if (config instanceof Y.Map) return config.get(key)
    return isPlainObject(config) && Object.hasOwn(config, key) ? config[key] : undefined
  }

  #entry(id: string): Entry | undefined {
    const entry = this.nodes.get(id)
    return entry instanceof Y.Map ? entry : undefined
  }

  // --- editing ---

  /** One transaction, one step of undo. */
  edit(change: () => void): void {
    if (!this.readOnly) this.doc.transact(change, this)
  }

  undoEdit(): void {
    if (!this.readOnly) this.undo.undo()
  }

  redoEdit(): void {
    if (!this.readOnly) this.undo.redo()
  }

  /** What is edited from here on is one step of undo, however long it takes. */
  beginStep(): void {
    this.undo.stopCapturing()
    this.undo.captureTimeout = Number.POSITIVE_INFINITY
  }

  /** What is edited next belongs to no step before it. */
  endStep(): void {
    this.undo.stopCapturing()
    this.undo.captureTimeout = TOGETHER_MS
  }

  /** Adds nodes and edges under the ids that they have. */
  insert(fragment: Fragment): void {
    this.edit(() => {
      for (const node of fragment.nodes) this.nodes.set(node.id, this.#entryOf(node))
      for (const { id, ...edge } of fragment.edges) this.edges.set(id, new Y.Map(Object.entries(edge)))
    })
  }

  move(positions: ReadonlyMap<string, Point>): void {
    this.edit(() => {
      for (const [id, position] of positions) {
        const entry = this.#entry(id)
        const before = pointOf(entry?.get('position'))
        if (entry && (before?.x !== position.x || before.y !== position.y)) entry.set('position', position)
      }
    })
  }

  /** Removes nodes with their edges, and edges. */
  remove(nodes: ReadonlySet<string>, edges: ReadonlySet<string> = new Set()): void {
    this.edit(() => {
      for (const id of [...this.edges.keys()]) {
        const edge = this.edge(id)
        if (edges.has(id) || (edge && (nodes.has(edge.source) || nodes.has(edge.target)))) this.edges.delete(id)
      }
      for (const id of nodes) this.nodes.delete(id)
    })
  }

  /** Removes one entry of a root, whatever it is; a node with its edges. */
  removeEntry(root: Root, id: string): void {
    if (root === 'nodes') this.remove(new Set([id]))
    else this.edit(() => this[root].delete(id))
  }

  setLabel(id: string, label: string): void {
    this.#setData(id, 'label', label)
  }

  setNotes(id: string, notes: string): void {
    this.#setData(id, 'notes', notes === '' ? undefined : notes)
  }

  setDisabled(ids: Iterable<string>, disabled: boolean): void {
    this.edit(() => {
      for (const id of ids) this.#setData(id, 'disabled', disabled ? true : undefined)
    })
  }

  /** Sets one key of a node's config; `undefined` removes it. */
  setConfig(id: string, key: string, value: unknown): void {
    if (this.configValue(id, key) === value) return
    this.edit(() => {
      const config = this.#sharedConfig(id)
      if (value === undefined) config?.delete(key)
      else config?.set(key, storable(value))
    })
  }

  /** The shared text of a code field, if it is one by now. */
  sharedText(id: string, key: string): Y.Text | undefined {
    const value = this.configValue(id, key)
    return value instanceof Y.Text ? value : undefined
  }

  /** Makes a code field shared text, which is no edit to undo. */
  share(id: string, key: string): void {
    const value = this.configValue(id, key)
    if (value instanceof Y.Text || this.readOnly) return
    const shared = new Y.Text(typeof value === 'string' ? value : '')
    this.doc.transact(() => this.#sharedConfig(id)?.set(key, shared), 'share-text')
  }

  /** A node's config as a map that can be edited: one of another shape is replaced by what can be read of it. */
  #sharedConfig(id: string): Entry | undefined {
    const data = this.data(id)
    const held = data?.get('config')
    if (!data || held instanceof Y.Map) return held instanceof Y.Map ? held : undefined
    const config = new Y.Map((configEntries(held) ?? []).map(([key, value]) => [key, storable(value)] as const))
    data.set('config', config)
    return config
  }

  #setData(id: string, key: string, value: unknown): void {
    const data = this.data(id)
    if (!data || data.get(key) === value) return
    this.edit(() => (value === undefined ? data.delete(key) : data.set(key, value)))
  }

  #entryOf({ id: _, data, ...rest }: DiagramNode): Entry {
    const code = this.#codeKeys(data.nodeType)
    // A text that is there from the start is the same for everybody: two people who each made it would not merge.
    const missing = code.required.filter((key) => data.config[key] === undefined).map((key) => [key, ''] as const)
    const config = [...missing, ...Object.entries(data.config)].map(([key, value]): [string, unknown] => [
      key,
      code.all.has(key) && typeof value === 'string' ? new Y.Text(value) : storable(value),
    ])
    return new Y.Map<unknown>([
      ...Object.entries(rest),
      ['data', new Y.Map<unknown>([...Object.entries(data), ['config', new Y.Map(config)]])],
    ])
  }
}

/** Yjs tells kinds of values by their `constructor`: an object that has a key of that name is stored as a map. */
function storable(value: unknown): unknown {
  if (!isPlainObject(value) || !Object.hasOwn(value, 'constructor')) return value
  return new Y.Map(Object.entries(value).map(([key, part]) => [key, storable(part)] as const))
}
