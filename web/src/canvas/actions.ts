/** What can be done to an open canvas, whoever asks: toolbar, keyboard, palette, menu. */
import type { Connection } from '@xyflow/react'
import type { NodeTypeSpec } from '../api/types'
import { type Fragment, freshId, type Point } from './diagram'
import { cut, offsetTo, parseFragment, renewed } from './fragment'
import type { CanvasSession } from './session'

/** Room that a card takes, for finding a free spot. */
const CARD = { width: 236, height: 88 }
const DUPLICATE_OFFSET: Point = { x: 32, y: 32 }

/** Adds a node where nothing lies yet; with `after`, connected to that node's first output when the ports fit. */
export function addNode(session: CanvasSession, spec: NodeTypeSpec, wanted: Point, after?: string): string {
  const { document, view } = session
  const id = freshId(spec.id)
  const position = freeSpot(session, wanted)
  document.edit(() => {
    document.insert({
      nodes: [
        {
          id,
          type: 'custom-node',
          position,
          data: { label: spec.name, nodeType: spec.id, config: { ...spec.config_defaults } },
        },
      ],
      edges: [],
    })
    if (after !== undefined) connectAfter(session, after, id, spec)
  })
  view.select([id])
  return id
}

/** The wanted point, or the first free one below it. */
function freeSpot({ view }: CanvasSession, wanted: Point): Point {
  const spot = { x: Math.round(wanted.x), y: Math.round(wanted.y) }
  const taken = () =>
    view
      .nodes()
      .some(({ position }) => Math.abs(position.x - spot.x) < CARD.width && Math.abs(position.y - spot.y) < CARD.height)
  while (taken()) spot.y += CARD.height
  return spot
}

/** The wanted offset, or the first below it at which no card covers another. */
function freeOffset({ view }: CanvasSession, fragment: Fragment, wanted: Point): Point {
  const offset = { ...wanted }
  const taken = () =>
    fragment.nodes.some(({ position: { x, y } }) =>
      view
        .nodes()
        .some(
          ({ position }) =>
            Math.abs(position.x - x - offset.x) < CARD.width && Math.abs(position.y - y - offset.y) < CARD.height,
        ),
    )
  while (taken()) offset.y += CARD.height
  return offset
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

/** Pastes a diagram or a workflow file. `false`: the text is neither. */
export function paste(session: CanvasSession, text: string, center: Point): boolean {
  const fragment = parseFragment(text)
  if (!fragment) return false
  const fresh = renewed(fragment, freeOffset(session, fragment, offsetTo(fragment, center)))
  session.document.insert(fresh)
  session.view.select(fresh.nodes.map((node) => node.id))
  return true
}

export function duplicateSelection(session: CanvasSession): void {
  const { nodes } = session.view.selection()
  if (nodes.length === 0) return
  const fresh = renewed(cut(session.document, new Set(nodes)), DUPLICATE_OFFSET)
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

export async function autoLayout({ document, view }: CanvasSession): Promise<void> {
  const { layout } = await import('./layout')
  document.move(await layout(view.nodes(), view.edges()))
}

function fits(output: string, input: string): boolean {
  return output === input || output === 'any' || input === 'any'
}

function typeOf({ document, overlay }: CanvasSession, node: string): NodeTypeSpec | undefined {
  return overlay.getState().nodeTypes.get(String(document.data(node)?.get('nodeType')))
}

function outputPort(session: CanvasSession, node: string, handle: string | null | undefined) {
  const ports = typeOf(session, node)?.outputs
  return handle ? ports?.find((port) => port.name === handle) : ports?.[0]
}

function inputPort(session: CanvasSession, node: string, handle: string | null | undefined) {
  const ports = typeOf(session, node)?.inputs
  return handle ? ports?.find((port) => port.name === handle) : ports?.[0]
}
