/** What the server derives of the canvas and shows over it: diagnostics, schemas, the run being followed. */
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { Finding, Findings, NodeRunState } from '../api/events'
import type { Column, Diagnostic, NodeTypeSpec, Schemas } from '../api/types'
import type { Flaw, FlawList } from './flaws'

export interface OverlayState {
  nodeTypes: ReadonlyMap<string, NodeTypeSpec>
  /** What the server found. */
  found: Found
  /** What of the document this page cannot read. */
  flaws: readonly Flaw[]
  moreFlaws: number
  /** Both. */
  diagnostics: readonly (Diagnostic | Flaw)[]
  byNode: Readonly<Record<string, readonly Diagnostic[]>>
  byEdge: Readonly<Record<string, readonly Diagnostic[]>>
  schemas: Schemas
  /** The part of each node in the run that is followed. */
  runs: Readonly<Record<string, NodeRunState>>
}

export type Overlay = StoreApi<OverlayState>

/** By what it is about. */
interface Found {
  nodes: Readonly<Record<string, Finding>>
  edges: Readonly<Record<string, Finding>>
  diagram: Finding | null
}

export const NOTHING_FOUND: Found = { nodes: {}, edges: {}, diagram: null }

export function createOverlay(nodeTypes: readonly NodeTypeSpec[]): Overlay {
  return createStore(() => ({
    nodeTypes: new Map(nodeTypes.map((spec) => [spec.id, spec])),
    found: NOTHING_FOUND,
    flaws: [],
    moreFlaws: 0,
    diagnostics: [],
    byNode: {},
    byEdge: {},
    schemas: {},
    runs: {},
  }))
}

/** What the server tells anew, beside what it told before. */
export function analysed(
  { nodes, edges, diagram }: Findings,
  { flaws, found }: Pick<OverlayState, 'flaws' | 'found'>,
): Partial<OverlayState> {
  return arranged(flaws, {
    nodes: merged(found.nodes, nodes),
    edges: merged(found.edges, edges),
    diagram: diagram === undefined ? found.diagram : diagram,
  })
}

/** What the server found, from the beginning. */
export function foundAll(found: Found, { flaws }: Pick<OverlayState, 'flaws'>): Partial<OverlayState> {
  return arranged(flaws, found)
}

function merged(
  known: Readonly<Record<string, Finding>>,
  news: Record<string, Finding | null>,
): Record<string, Finding> {
  const next = new Map(Object.entries(known))
  for (const [id, finding] of Object.entries(news)) {
    if (finding) next.set(id, finding)
    else next.delete(id)
  }
  return Object.fromEntries(next)
}

/** What the page itself cannot read, beside what the server found. */
export function withFlaws({ flaws, more }: FlawList, { found }: Pick<OverlayState, 'found'>): Partial<OverlayState> {
  return { ...arranged(flaws, found), moreFlaws: more }
}

function arranged(flaws: readonly Flaw[], found: Found): Partial<OverlayState> {
  const ids = Object.keys(found.nodes).sort()
  const findings = [found.diagram, ...ids.map((id) => found.nodes[id]), ...Object.values(found.edges)]
  const diagnostics = [...flaws, ...findings.flatMap((finding) => finding?.diagnostics ?? [])]
  return {
    flaws,
    found,
    diagnostics,
    schemas: Object.fromEntries(ids.map((id) => [id, found.nodes[id]?.schemas ?? {}])),
    byNode: grouped(diagnostics, (diagnostic) => diagnostic.node),
    byEdge: grouped(diagnostics, (diagnostic) => diagnostic.edge),
  }
}

interface Connected {
  source: string
  target: string
  sourceHandle?: string | null | undefined
  targetHandle?: string | null | undefined
}

const NO_COLUMNS: readonly Column[] = []

/** The columns that leave a step by an output port, where they are known; without a port, by its first. */
export function columnsFrom(schemas: Schemas, source: string, port: string | null | undefined): readonly Column[] {
  const outputs = entry(schemas, source) ?? {}
  return (port == null ? Object.values(outputs)[0] : entry(outputs, port)) ?? NO_COLUMNS
}

/** The columns that arrive at an input port: those of every output connected to it, each name once. */
export function columnsAt(
  { schemas, nodeTypes }: Pick<OverlayState, 'schemas' | 'nodeTypes'>,
  edges: readonly Connected[],
  node: { id: string; nodeType: string },
  port: string | undefined,
): Column[] {
  const firstInput = nodeTypes.get(node.nodeType)?.inputs[0]?.name
  const wanted = port ?? firstInput
  const columns = new Map<string, Column>()
  for (const edge of edges) {
    if (edge.target !== node.id || (edge.targetHandle ?? firstInput) !== wanted) continue
    for (const column of columnsFrom(schemas, edge.source, edge.sourceHandle))
      if (!columns.has(column.name)) columns.set(column.name, column)
  }
  return [...columns.values()]
}

function grouped(
  diagnostics: readonly Diagnostic[],
  subject: (diagnostic: Diagnostic) => string | undefined,
): Record<string, Diagnostic[]> {
  const groups = new Map<string, Diagnostic[]>()
  for (const diagnostic of diagnostics) {
    const id = subject(diagnostic)
    if (id === undefined) continue
    const group = groups.get(id)
    if (group) group.push(diagnostic)
    else groups.set(id, [diagnostic])
  }
  return Object.fromEntries(groups)
}

/** The entry of an id. People choose ids, and `constructor` is one. */
export function entry<T>(entries: Readonly<Record<string, T>>, id: string): T | undefined {
  return Object.hasOwn(entries, id) ? entries[id] : undefined
}
