/**
 * The canvas document: root maps `meta`, `nodes`, `edges`, `notes`, `threads`, and every edit that the editor makes.
 *
 * Each edit touches only what it changes, so that the edits of two people merge. Edits carry this document's origin:
 * undo takes back what was done here and never another person's work.
 */
import * as Y from 'yjs'
import type { DiagramEdge, DiagramNode, Fragment, Point } from './diagram'

type Entry = Y.Map<unknown>

/** Which config keys of a node type are shared text; those that it requires, it has from the start. */
export type CodeKeys = (nodeType: string) => CodeFields

export interface CodeFields {
  all: ReadonlySet<string>
  required: readonly string[]
}

const NO_CODE: CodeFields = { all: new Set(), required: [] }

export class CanvasDocument {
  readonly doc: Y.Doc
  readonly nodes: Y.Map<Entry>
  readonly edges: Y.Map<Entry>
  readonly undo: Y.UndoManager
  /** Nothing may be edited: no edit, undo or redo does anything. */
  readOnly = false
  readonly #codeKeys: CodeKeys

  constructor(codeKeys: CodeKeys = () => NO_CODE, doc = new Y.Doc()) {
    this.doc = doc
    this.nodes = doc.getMap('nodes')
    this.edges = doc.getMap('edges')
    this.#codeKeys = codeKeys
    this.undo = new Y.UndoManager([this.nodes, this.edges], { trackedOrigins: new Set([this]), captureTimeout: 400 })
  }

  // --- reading ---

  node(id: string): DiagramNode | undefined {
    const entry = this.nodes.get(id)
    const data = entry?.get('data')
    if (!entry || !(data instanceof Y.Map)) return undefined
    const connectorType = text(data.get('connectorType'))
    const notes = text(data.get('notes'))
    const parentId = text(entry.get('parentId'))
    const width = number(entry.get('width'))
    const height = number(entry.get('height'))
    return {
      id,
      type: 'custom-node',
      position: point(entry.get('position')),
      data: {
        label: text(data.get('label')) ?? '',
        nodeType: text(data.get('nodeType')) ?? '',
        ...(connectorType === undefined ? {} : { connectorType }),
        config: this.config(id)?.toJSON() ?? {},
        ...(data.get('disabled') === true ? { disabled: true } : {}),
        ...(notes === undefined ? {} : { notes }),
      },
      ...(parentId === undefined ? {} : { parentId }),
      ...(width === undefined ? {} : { width }),
      ...(height === undefined ? {} : { height }),
    }
  }

  edge(id: string): DiagramEdge | undefined {
    const entry = this.edges.get(id)
    const source = text(entry?.get('source'))
    const target = text(entry?.get('target'))
    if (!entry || source === undefined || target === undefined) return undefined
    const sourceHandle = text(entry.get('sourceHandle'))
    const targetHandle = text(entry.get('targetHandle'))
    return {
      id,
      type: 'custom-edge',
      source,
      target,
      ...(sourceHandle === undefined ? {} : { sourceHandle }),
      ...(targetHandle === undefined ? {} : { targetHandle }),
    }
  }

  /** The edges whose both ends exist. */
  liveEdges(): DiagramEdge[] {
    return [...this.edges.keys()]
      .map((id) => this.edge(id))
      .filter((edge) => edge !== undefined)
      .filter((edge) => this.nodes.has(edge.source) && this.nodes.has(edge.target))
  }

  data(id: string): Entry | undefined {
    const data = this.nodes.get(id)?.get('data')
    return data instanceof Y.Map ? data : undefined
  }

  config(id: string): Entry | undefined {
    const config = this.data(id)?.get('config')
    return config instanceof Y.Map ? config : undefined
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
        const entry = this.nodes.get(id)
        const before = point(entry?.get('position'))
        if (entry && (before.x !== position.x || before.y !== position.y)) entry.set('position', position)
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
    this.edit(() => {
      let config = this.config(id)
      if (!config) {
        config = new Y.Map()
        this.data(id)?.set('config', config)
      }
      if (value === undefined) config.delete(key)
      else config.set(key, value)
    })
  }

  /** The shared text of a code field, if it is one by now. */
  sharedText(id: string, key: string): Y.Text | undefined {
    const value = this.config(id)?.get(key)
    return value instanceof Y.Text ? value : undefined
  }

  /** Makes a code field shared text, which is no edit to undo. */
  share(id: string, key: string): void {
    const config = this.config(id)
    const value = config?.get(key)
    if (!config || value instanceof Y.Text || this.readOnly) return
    const shared = new Y.Text(typeof value === 'string' ? value : '')
    this.doc.transact(() => config.set(key, shared), 'share-text')
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
      code.all.has(key) && typeof value === 'string' ? new Y.Text(value) : value,
    ])
    return new Y.Map<unknown>([
      ...Object.entries(rest),
      ['data', new Y.Map<unknown>([...Object.entries(data), ['config', new Y.Map(config)]])],
    ])
  }
}

function point(value: unknown): Point {
  if (typeof value === 'object' && value !== null && 'x' in value && 'y' in value) {
    return { x: number(value.x) ?? 0, y: number(value.y) ?? 0 }
  }
  return { x: 0, y: 0 }
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function text(value: unknown): string | undefined {
  if (value instanceof Y.Text) return value.toString()
  return typeof value === 'string' ? value : undefined
}
