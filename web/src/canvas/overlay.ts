/** What the server derives of the canvas and shows over it: diagnostics, schemas, the run being followed. */
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { NodeRunState } from '../api/events'
import type { Analysis, Column, Diagnostic, NodeTypeSpec, Schemas } from '../api/types'
import type { Flaw, FlawList } from './flaws'

export interface OverlayState {
  nodeTypes: ReadonlyMap<string, NodeTypeSpec>
  /** What the server found. */
  found: readonly Diagnostic[]
  /** What of the document this page cannot read. */
  flaws: readonly Flaw[]
  moreFlaws: number
  /** Both. */
  diagnostics: readonly (Diagnostic | Flaw)[]
  byNode: Readonly<Record<string, readonly Diagnostic[]>>
  byEdge: Readonly<Record<string, readonly Diagnostic[]>>
  schemas: Schemas
  /** The nodes in the order in which a run comes to them. */
  order: readonly string[]
  /** The part of each node in the run that is followed. */
  runs: Readonly<Record<string, NodeRunState>>
}

export type Overlay = StoreApi<OverlayState>

export function createOverlay(nodeTypes: readonly NodeTypeSpec[]): Overlay {
  return createStore(() => ({
    nodeTypes: new Map(nodeTypes.map((spec) => [spec.id, spec])),
    found: [],
    flaws: [],
    moreFlaws: 0,
    diagnostics: [],
    byNode: {},
    byEdge: {},
    schemas: {},
    order: [],
    runs: {},
  }))
}

/** What an analysis says, arranged as it is shown. */
export function analysed(
  { diagnostics, schemas, execution_order }: Omit<Analysis, 'dependencies'>,
  { flaws }: Pick<OverlayState, 'flaws'>,
): Partial<OverlayState> {
  return { ...arranged(flaws, diagnostics), schemas, order: execution_order }
}

/** What the page itself cannot read, beside what the server found. */
export function withFlaws({ flaws, more }: FlawList, { found }: Pick<OverlayState, 'found'>): Partial<OverlayState> {
  return { ...arranged(flaws, found), moreFlaws: more }
}

function arranged(flaws: readonly Flaw[], found: readonly Diagnostic[]): Partial<OverlayState> {
  const diagnostics = [...flaws, ...found]
  return {
    flaws,
    found,
    diagnostics,
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
