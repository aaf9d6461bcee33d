/** What can be done to an open canvas, whoever asks: toolbar, keyboard, palette, menu. */
import type { Connection } from '@xyflow/react'
import type { NodeTypeSpec } from '../api/types'
import { formatCount } from '../components/format'
import { notify } from '../components/toast'
import { type DiagramNode, type Fragment, freshId, type Point } from './diagram'
import { cut, offsetTo, parseFragment, renewed } from './fragment'
import { distinctNames } from './names'
import type { CanvasSession } from './session'
import { Spots } from './spots'
import { EDGES_MAX, MANY_NODES, NODES_MAX } from './view'

const DUPLICATE_OFFSET: Point = { x: 32, y: 32 }

/**
 * Adds a node where nothing lies yet; with `after`, connected to that node's first output when the ports fit.
 * `undefined`: there is no room for it, which was said.
 */
export function addNode(session: CanvasSession, spec: NodeTypeSpec, wanted: Point, after?: string): string | undefined {
  const { document, view } = session
  if (!hasRoom(session, { nodes: 1, edges: 0 })) return undefined
  const id = freshId(spec.id)
  const spot = new Spots(view.nodes()).free(wanted)
  const node: DiagramNode = {
    id,
    type: 'custom-node',
    position: { x: Math.round(spot.x), y: Math.round(spot.y) },
    data: { label: namesIn(session)(spec.name), nodeType: spec.id, config: { ...spec.config_defaults } },
  }
  document.edit(() => {
    document.insert({ nodes: [node], edges: [] })
    if (after !== undefined) connectAfter(session, after, id, spec)
  })
  view.select([id])
  return id
}

/** Whether a diagram can hold so many more. What does not fit is refused before anything is written [SYNC-18]. */
function hasRoom({ document }: CanvasSession, added: { nodes: number; edges: number }): boolean {
  const full = (
    [
      ['steps', added.nodes, document.nodes, NODES_MAX],
      ['connections', added.edges, document.edges, EDGES_MAX],
    ] as const
  ).find(([, count, present, max]) => count > 0 && present.size + count > max)
  if (!full) return true
  const [what, count, present, max] = full
  notify({
    kind: 'error',
    text: `A workflow holds at most ${formatCount(max)} ${what}`,
    detail: `This one has ${formatCount(present.size)}, so ${formatCount(count)} more do not fit. Nothing was added.`,
  })
  return false
}

function namesIn({ view }: CanvasSession): (wanted: string) => string {
  return distinctNames(view.nodes().map(({ data }) => data.label))
}

function connectAfter(session: CanvasSession, source: string, target: string, spec: NodeTypeSpec): void {
  const from = typeOf(session, source)
  const output = from?.outputs[0]
  const input = spec.inputs.find((port) => output && fits(output.kind, port.kind))
  if (!output || !input) return
  connect(session, { source, target, sourceHandle: output.name, targetHandle: input.name })
}

/** Connects two ports. An input that takes one edge gives up the one it had. */
export function connect(session: CanvasSession, connection: Connection): void {
  if (!canConnect(session, connection)) return
  const { document } = session
  const { source, target, sourceHandle, targetHandle } = connection
  const input = inputPort(session, target, targetHandle)
  const replaced = document.liveEdges().filter((edge) => {
    const port = inputPort(session, edge.target, edge.targetHandle)
    return !input?.many && edge.target === target && port?.name === input?.name
  })
  if (replaced.length === 0 && !hasRoom(session, { nodes: 0, edges: 1 })) return
  document.edit(() => {
    document.remove(new Set(), new Set(replaced.map((edge) => edge.id)))
    document.insert({
      nodes: [],
      edges: [
        {
          id: freshId('edge'),
          type: 'custom-edge',
          source,
          target,
          ...(sourceHandle ? { sourceHandle } : {}),
          ...(targetHandle ? { targetHandle } : {}),
        },
      ],
    })
  })
}

export function canConnect(
  session: CanvasSession,
  connection: Pick<Connection, 'source' | 'target'> & {
    sourceHandle?: string | null
    targetHandle?: string | null
  },
): boolean {
  const { source, target, sourceHandle, targetHandle } = connection
  if (source === target) return false
  const output = outputPort(session, source, sourceHandle)
  const input = inputPort(session, target, targetHandle)
  if (!output || !input || !fits(output.kind, input.kind)) return false
  return !session.document
    .liveEdges()
    .some(
      (edge) =>
        edge.source === source &&
        edge.target === target &&
        outputPort(session, source, edge.sourceHandle)?.name === output.name &&
        inputPort(session, target, edge.targetHandle)?.name === input.name,
    )
}

export function deleteSelection(session: CanvasSession): void {
  const { nodes, edges } = session.view.selection()
  if (nodes.length + edges.length > 0) session.document.remove(new Set(nodes), new Set(edges))
}

/** The selection as plain workflow JSON. */
export function copySelection(session: CanvasSession): string | undefined {
  const { nodes } = session.view.selection()
  return nodes.length === 0 ? undefined : JSON.stringify(cut(session.document, new Set(nodes)), null, 2)
}

/** Pastes a diagram or a workflow file with its middle at a point. `false`: the text is neither. */
export function paste(session: CanvasSession, text: string, middle: Point): boolean {
  const fragment = parseFragment(text)
  if (!fragment) return false
  add(session, fragment, offsetTo(fragment, middle))
  return true
}

export function duplicateSelection(session: CanvasSession): void {
  const { nodes } = session.view.selection()
  if (nodes.length > 0) add(session, cut(session.document, new Set(nodes)), DUPLICATE_OFFSET)
}

/** Adds a copy of steps, named apart and not over others, and selects it. */
function add(session: CanvasSession, fragment: Fragment, wanted: Point): void {
  if (!hasRoom(session, { nodes: fragment.nodes.length, edges: fragment.edges.length })) return
  const offset = new Spots(session.view.nodes()).shifted(fragment.nodes, wanted)
  const fresh = renewed(fragment, offset, namesIn(session))
  session.document.insert(fresh)
  session.view.select(fresh.nodes.map((node) => node.id))
}

export function selectAll({ document, view }: CanvasSession): void {
  view.select(document.nodes.keys(), document.edges.keys())
}

/** Disables the selected nodes, or enables them when all are disabled. */
export function toggleDisabled({ document, view }: CanvasSession): void {
  const { nodes } = view.selection()
  const allDisabled = nodes.every((id) => document.data(id)?.get('disabled') === true)
  document.setDisabled(nodes, !allDisabled)
}

/** Of thousands of steps it would stop the page for minutes. */
export async function autoLayout({ document, view }: CanvasSession): Promise<void> {
  if (view.nodes().length > MANY_NODES) {
    notify({ kind: 'info', text: `Auto-layout arranges up to ${formatCount(MANY_NODES)} steps` })
    return
  }
  const { layout } = await import('./layout')
  document.move(await layout(view.nodes(), view.edges()))
}

function fits(output: string, input: string): boolean {
  return output === input || output === 'any' || input === 'any'
}

function typeOf({ document, overlay }: CanvasSession, node: string): NodeTypeSpec | undefined {
  return overlay.getState().nodeTypes.get(document.nodeType(node))
}

function outputPort(session: CanvasSession, node: string, handle: string | null | undefined) {
  const ports = typeOf(session, node)?.outputs
  return handle ? ports?.find((port) => port.name === handle) : ports?.[0]
}

function inputPort(session: CanvasSession, node: string, handle: string | null | undefined) {
  const ports = typeOf(session, node)?.inputs
  return handle ? ports?.find((port) => port.name === handle) : ports?.[0]
}
