/**
 * React Flow's nodes and edges, derived from the document.
 *
 * Owns only what is nobody else's business: selection, measured sizes, drags in progress. A change of one node makes
 * one new object; every other keeps its identity, so React Flow renders one node again.
 */
import type { Edge, EdgeChange, Node, NodeChange } from '@xyflow/react'
import * as Y from 'yjs'
import type { NodeTypeSpec } from '../api/types'
import { CARD, handlesOf } from './card'
import { Crowds } from './crowds'
import type { DiagramEdge, Point } from './diagram'
import type { CanvasDocument } from './document'
import type { Presence } from './presence'
import { type NodeRead, readNode } from './read'

/** A diagram holds no more, as in the server's `model/src/diagram.rs`; what a document has beyond is not drawn. */
export const NODES_MAX = 10_000
export const EDGES_MAX = 50_000
/** Above this many nodes only those in view are in the page. */
export const RENDER_ALL_MAX = 150
/** Above this many nodes a page draws only so many at one place, and does not zoom out as far. */
export const MANY_NODES = 2_000
/** Of a text on a card. */
const SHOWN_CHARS_MAX = 2_000

export interface CardData extends Record<string, unknown> {
  /** It can be read, and so be edited. */
  whole: boolean
  label: string
  nodeType: string
  disabled: boolean
  notes: string
  /** What its configuration comes to, in one line. */
  summary: string
}

export type FlowNode = Node<CardData, 'custom-node'>
export type FlowEdge = Edge<Record<string, unknown>, 'custom-edge'>

/** What a card shows of a node beside what the node says itself. */
export interface About {
  summary: string
  spec: NodeTypeSpec | undefined
}

export interface Selection {
  nodes: readonly string[]
  edges: readonly string[]
}

export class CanvasView {
  readonly #document: CanvasDocument
  readonly #presence: Presence
  readonly #about: (id: string) => About
  readonly #nodes = new Map<string, FlowNode>()
  readonly #edges = new Map<string, FlowEdge>()
  readonly #measured = new Map<string, { width: number; height: number }>()
  readonly #dragged = new Map<string, Point>()
  readonly #selectedNodes = new Set<string>()
  readonly #selectedEdges = new Set<string>()
  readonly #listeners = new Set<() => void>()
  /** The places of nodes that say none. */
  readonly #unplaced = new Map<string, number>()
  #nextPlace = 0
  readonly #crowds = new Crowds()
  /** How many nodes the document has; it would count them each time that it is asked. */
  #total = 0
  #nodeList: FlowNode[] = []
  #edgeList: FlowEdge[] = []
  #selection: Selection = { nodes: [], edges: [] }
  #remote: ReadonlySet<string> = new Set()
  readonly #unsubscribe: () => void

  constructor(document: CanvasDocument, presence: Presence, about: (id: string) => About) {
    this.#document = document
    this.#presence = presence
    this.#about = about
    document.nodes.observeDeep(this.#onNodes)
    document.edges.observeDeep(this.#onEdges)
    this.#unsubscribe = presence.subscribe('drag', this.#onRemoteDrag)
    this.#total = document.nodes.size
    this.#fill()
    this.#deriveEdges()
    this.#publish()
  }

  destroy(): void {
    this.#document.nodes.unobserveDeep(this.#onNodes)
    this.#document.edges.unobserveDeep(this.#onEdges)
    this.#unsubscribe()
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly nodes = (): FlowNode[] => this.#nodeList
  readonly edges = (): FlowEdge[] => this.#edgeList
  readonly selection = (): Selection => this.#selection
  /** How many nodes of the document are not drawn. */
  readonly hidden = (): number => this.#undrawn() + (this.#total > MANY_NODES ? this.#crowds.waiting : 0)

  select(nodes: Iterable<string>, edges: Iterable<string> = []): void {
    this.#replace(this.#selectedNodes, nodes, this.#nodes)
    this.#replace(this.#selectedEdges, edges, this.#edges)
    this.#publish()
  }

  /** Shows what another view shows of the same canvas: its selection, and cards as large as there. */
  succeed(before: CanvasView): void {
    for (const [id, size] of before.#measured) {
      this.#measured.set(id, size)
      this.#derive(id)
    }
    this.select(before.#selectedNodes, before.#selectedEdges)
  }

  /** What React Flow reports of the user's hands. Drags stay here until they end; then the document is written, once. */
  readonly onNodesChange = (changes: NodeChange<FlowNode>[]): void => {
    const dropped = new Map<string, Point>()
    for (const change of changes) {
      if (change.type === 'select') {
        if (change.selected) this.#selectedNodes.add(change.id)
        else this.#selectedNodes.delete(change.id)
      } else if (change.type === 'dimensions' && change.dimensions) {
        this.#measured.set(change.id, change.dimensions)
      } else if (change.type === 'position' && change.position) {
        if (change.dragging) this.#dragged.set(change.id, change.position)
        else dropped.set(change.id, rounded(change.position))
      } else {
        continue
      }
      this.#derive(change.id)
    }
    if (dropped.size > 0) this.#drop(dropped)
    else if (this.#dragged.size > 0) this.#presence.tell({ drag: Object.fromEntries(this.#dragged) })
    this.#publish()
  }

  readonly onEdgesChange = (changes: EdgeChange<FlowEdge>[]): void => {
    for (const change of changes) {
      if (change.type !== 'select') continue
      if (change.selected) this.#selectedEdges.add(change.id)
      else this.#selectedEdges.delete(change.id)
    }
    this.#deriveEdges()
    this.#publish()
  }

  #drop(positions: Map<string, Point>): void {
    for (const id of positions.keys()) this.#dragged.delete(id)
    this.#document.move(positions)
    for (const id of positions.keys()) this.#derive(id)
    this.#presence.tell({ drag: this.#dragged.size === 0 ? null : Object.fromEntries(this.#dragged) })
  }

  readonly #onNodes = (events: Y.YEvent<Y.AbstractType<unknown>>[]) => {
    let endsChanged = false
    this.#total = this.#document.nodes.size
    for (const event of events) {
      if (event.path.length === 0) {
        endsChanged = true
        for (const id of event.changes.keys.keys()) this.#derive(id)
      } else {
        this.#derive(String(event.path[0]))
      }
    }
    if (endsChanged) this.#fill()
    if (endsChanged) this.#deriveEdges()
    this.#publish()
  }

  readonly #onEdges = () => {
    this.#deriveEdges()
    this.#publish()
  }

  readonly #onRemoteDrag = () => {
    const before = this.#remote
    this.#remote = new Set(this.#presence.drags().keys())
    for (const id of new Set([...before, ...this.#remote])) this.#derive(id)
    this.#publish()
  }

  /** How many nodes there are beyond what a diagram holds. */
  #undrawn(): number {
    return this.#total - this.#nodes.size
  }

  /** Draws what there is still room for. */
  #fill(): void {
    if (this.#undrawn() === 0 || this.#nodes.size >= NODES_MAX) return
    for (const id of this.#document.nodes.keys()) if (!this.#nodes.has(id)) this.#derive(id)
  }

  #derive(id: string): void {
    const before = this.#nodes.get(id)
    if (!this.#document.nodes.has(id)) {
      this.#nodes.delete(id)
      this.#selectedNodes.delete(id)
      this.#dragged.delete(id)
      this.#unplaced.delete(id)
      this.#crowds.remove(id)
      return
    }
    if (!before && this.#nodes.size >= NODES_MAX) return
    const value = this.#document.nodes.get(id)
    const read = readNode(id, value)
    const { summary, spec } = this.#about(id)
    const remote = this.#presence.drags().get(id)
    const mine = this.#dragged.get(id)
    const position = mine ?? remote ?? this.#positionOf(id, read)
    const hasRoom = this.#crowds.put(id, position)
    const node: FlowNode = {
      id,
      type: 'custom-node',
      position,
      data: kept(before?.data, {
        whole: read.whole,
        label: read.label.slice(0, SHOWN_CHARS_MAX),
        nodeType: read.nodeType,
        disabled: read.disabled,
        notes: (read.notes ?? '').slice(0, SHOWN_CHARS_MAX),
        summary,
      }),
      selected: this.#selectedNodes.has(id),
      dragging: mine !== undefined,
      ...this.#sizeOf(id, spec),
      ...(hasRoom || this.#total <= MANY_NODES ? {} : { hidden: true }),
      // What cannot be read lies below what can, and stays where it is.
      ...(read.whole ? {} : { zIndex: -1 }),
      ...(value instanceof Y.Map ? {} : { draggable: false }),
      ...(remote && !mine ? { className: 'moved-by-other' } : {}),
    }
    if (!before || !sameNode(before, node)) this.#nodes.set(id, node)
  }

  /** As measured. Among many, a node that was never in view is as large as cards are, so that it need not be drawn. */
  #sizeOf(id: string, spec: NodeTypeSpec | undefined): Pick<FlowNode, 'measured' | 'handles'> {
    const measured = this.#measured.get(id)
    if (measured) return { measured }
    return this.#total > RENDER_ALL_MAX ? { measured: CARD, handles: handlesOf(spec) } : {}
  }

  /** Nodes that do not say where they are stand in rows above the origin. */
  #positionOf(id: string, { position }: NodeRead): Point {
    if (position) {
      this.#unplaced.delete(id)
      return position
    }
    const place = this.#unplaced.get(id) ?? this.#nextPlace++
    this.#unplaced.set(id, place)
    return {
      x: (place % UNPLACED_PER_ROW) * (CARD.width + 24),
      y: -160 - Math.floor(place / UNPLACED_PER_ROW) * (CARD.height + 24),
    }
  }

  /** The edges whose both ends are drawn. */
  #drawnEdges(): DiagramEdge[] {
    return this.#document
      .liveEdges()
      .filter(({ source, target }) => this.#nodes.has(source) && this.#nodes.has(target))
      .slice(0, EDGES_MAX)
  }

  #deriveEdges(): void {
    const live = this.#drawnEdges()
    const ids = new Set(live.map((edge) => edge.id))
    for (const id of [...this.#edges.keys()]) {
      if (ids.has(id)) continue
      this.#edges.delete(id)
      this.#selectedEdges.delete(id)
    }
    for (const edge of live) {
      const selected = this.#selectedEdges.has(edge.id)
      const before = this.#edges.get(edge.id)
      const same =
        before &&
        before.selected === selected &&
        before.source === edge.source &&
        before.target === edge.target &&
        before.sourceHandle === edge.sourceHandle &&
        before.targetHandle === edge.targetHandle
      if (!same) this.#edges.set(edge.id, { ...edge, selected })
    }
  }

  #replace(selected: Set<string>, wanted: Iterable<string>, known: ReadonlyMap<string, unknown>): void {
    const before = [...selected]
    selected.clear()
    for (const id of wanted) if (known.has(id)) selected.add(id)
    if (known === this.#edges) this.#deriveEdges()
    else for (const id of new Set([...before, ...selected])) this.#derive(id)
  }

  /** Makes the new lists; their unchanged members are the same objects as before. */
  #publish(): void {
    for (const id of this.#crowds.freed()) this.#derive(id)
    this.#nodeList = listed(this.#nodeList, this.#nodes)
    this.#edgeList = listed(this.#edgeList, this.#edges)
    if (!sameIds(this.#selection.nodes, this.#selectedNodes) || !sameIds(this.#selection.edges, this.#selectedEdges)) {
      this.#selection = { nodes: [...this.#selectedNodes], edges: [...this.#selectedEdges] }
      this.#presence.tell({ selection: [...this.#selectedNodes] })
    }
    for (const listener of this.#listeners) listener()
  }
}

const UNPLACED_PER_ROW = 8

function rounded({ x, y }: Point): Point {
  return { x: Math.round(x), y: Math.round(y) }
}

function kept(before: CardData | undefined, after: CardData): CardData {
  const same =
    before &&
    before.whole === after.whole &&
    before.label === after.label &&
    before.nodeType === after.nodeType &&
    before.disabled === after.disabled &&
    before.notes === after.notes &&
    before.summary === after.summary
  return same ? before : after
}

function sameNode(a: FlowNode, b: FlowNode): boolean {
  return (
    a.data === b.data &&
    a.position.x === b.position.x &&
    a.position.y === b.position.y &&
    a.selected === b.selected &&
    a.dragging === b.dragging &&
    a.measured === b.measured &&
    a.handles === b.handles &&
    a.zIndex === b.zIndex &&
    a.hidden === b.hidden &&
    a.draggable === b.draggable &&
    a.className === b.className
  )
}

function listed<T>(before: T[], entries: ReadonlyMap<string, T>): T[] {
  const after = [...entries.values()]
  const same = before.length === after.length && after.every((entry, index) => entry === before[index])
  return same ? before : after
}

function sameIds(list: readonly string[], set: ReadonlySet<string>): boolean {
  return list.length === set.size && list.every((id) => set.has(id))
}
