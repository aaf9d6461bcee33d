/** Parts of a canvas as plain workflow JSON: copied, pasted, duplicated. */
import { CARD } from './card'
import { type DiagramEdge, type DiagramNode, type Fragment, freshId, type Point } from './diagram'
import type { CanvasDocument } from './document'
import { isPlainObject, pointOf } from './read'

/** The chosen nodes and the edges between them. */
export function cut(document: CanvasDocument, ids: ReadonlySet<string>): Fragment {
  return {
    nodes: [...ids].map((id) => document.node(id)).filter((node) => node !== undefined),
    edges: document.liveEdges().filter((edge) => ids.has(edge.source) && ids.has(edge.target)),
  }
}

/** The same fragment under fresh ids, moved, each step under the name that it is given. */
export function renewed(fragment: Fragment, offset: Point, nameOf: (label: string) => string): Fragment {
  const ids = new Map(fragment.nodes.map((node) => [node.id, freshId(node.data.nodeType)]))
  return {
    nodes: fragment.nodes.map(({ parentId, ...node }) => {
      const parent = parentId === undefined ? undefined : ids.get(parentId)
      return {
        ...node,
        id: ids.get(node.id) ?? node.id,
        position: { x: node.position.x + offset.x, y: node.position.y + offset.y },
        data: { ...node.data, label: nameOf(node.data.label) },
        ...(parent === undefined ? {} : { parentId: parent }),
      }
    }),
    edges: fragment.edges.flatMap((edge): DiagramEdge[] => {
      const source = ids.get(edge.source)
      const target = ids.get(edge.target)
      return source && target ? [{ ...edge, id: freshId('edge'), source, target }] : []
    }),
  }
}

/** How far to move a fragment so that its middle is at a point. */
export function offsetTo(fragment: Fragment, middle: Point): Point {
  const { left, top, right, bottom } = boundsOf(fragment.nodes)
  return { x: Math.round(middle.x - (left + right) / 2), y: Math.round(middle.y - (top + bottom) / 2) }
}

/** Around the cards. */
function boundsOf(nodes: readonly { position: Point }[]) {
  const bounds = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity }
  for (const { position } of nodes) {
    bounds.left = Math.min(bounds.left, position.x)
    bounds.top = Math.min(bounds.top, position.y)
    bounds.right = Math.max(bounds.right, position.x + CARD.width)
    bounds.bottom = Math.max(bounds.bottom, position.y + CARD.height)
  }
  return bounds
}

/** Reads a diagram, or a workflow file with one inside, from text. `undefined`: the text is something else. */
export function parseFragment(text: string): Fragment | undefined {
  const json = parsed(text)
  const diagram = record(record(json)?.diagram) ?? record(json)
  if (!Array.isArray(diagram?.nodes)) return undefined
  const nodes = diagram.nodes.map(nodeOf).filter((node) => node !== undefined)
  const edges = (Array.isArray(diagram.edges) ? diagram.edges : []).map(edgeOf).filter((edge) => edge !== undefined)
  return nodes.length === 0 ? undefined : { nodes, edges }
}

function nodeOf(value: unknown): DiagramNode | undefined {
  const node = record(value)
  const data = record(node?.data)
  if (!node || !data || typeof node.id !== 'string' || typeof data.nodeType !== 'string') return undefined
  return {
    id: node.id,
    type: 'custom-node',
    position: pointOf(node.position) ?? { x: 0, y: 0 },
    data: {
      label: typeof data.label === 'string' ? data.label : data.nodeType,
      nodeType: data.nodeType,
      config: record(data.config) ?? {},
      ...(typeof data.connectorType === 'string' ? { connectorType: data.connectorType } : {}),
      ...(data.disabled === true ? { disabled: true } : {}),
      ...(typeof data.notes === 'string' ? { notes: data.notes } : {}),
    },
  }
}

function edgeOf(value: unknown): DiagramEdge | undefined {
  const edge = record(value)
  if (!edge || typeof edge.source !== 'string' || typeof edge.target !== 'string') return undefined
  return {
    id: typeof edge.id === 'string' ? edge.id : freshId('edge'),
    type: 'custom-edge',
    source: edge.source,
    target: edge.target,
    ...(typeof edge.sourceHandle === 'string' ? { sourceHandle: edge.sourceHandle } : {}),
    ...(typeof edge.targetHandle === 'string' ? { targetHandle: edge.targetHandle } : {}),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function record(value: unknown): Record<string, unknown> | undefined {
  return isPlainObject(value) ? value : undefined
}
