/** Parts of a canvas as plain workflow JSON: copied, pasted, duplicated. */
import { type DiagramEdge, type DiagramNode, type Fragment, freshId, type Point } from './diagram'
import type { CanvasDocument } from './document'

/** The chosen nodes and the edges between them. */
export function cut(document: CanvasDocument, ids: ReadonlySet<string>): Fragment {
  return {
    nodes: [...ids].map((id) => document.node(id)).filter((node) => node !== undefined),
    edges: document.liveEdges().filter((edge) => ids.has(edge.source) && ids.has(edge.target)),
  }
}

/** The same fragment under fresh ids, moved. */
export function renewed(fragment: Fragment, offset: Point): Fragment {
  const ids = new Map(fragment.nodes.map((node) => [node.id, freshId(node.data.nodeType)]))
  return {
    nodes: fragment.nodes.map((node) => ({
      ...node,
      id: ids.get(node.id) ?? node.id,
      position: { x: node.position.x + offset.x, y: node.position.y + offset.y },
    })),
    edges: fragment.edges.flatMap((edge): DiagramEdge[] => {
      const source = ids.get(edge.source)
      const target = ids.get(edge.target)
      return source && target ? [{ ...edge, id: freshId('edge'), source, target }] : []
    }),
  }
}

/** How far to move a fragment so that its middle is at a point. */
export function offsetTo(fragment: Fragment, center: Point): Point {
  const xs = fragment.nodes.map((node) => node.position.x)
  const ys = fragment.nodes.map((node) => node.position.y)
  const middle = (values: number[]) => (Math.min(...values) + Math.max(...values)) / 2
  return { x: Math.round(center.x - middle(xs)), y: Math.round(center.y - middle(ys)) }
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
  const position = record(node?.position)
  if (!node || !data || typeof node.id !== 'string' || typeof data.nodeType !== 'string') return undefined
  return {
    id: node.id,
    type: 'custom-node',
    position: { x: Number(position?.x) || 0, y: Number(position?.y) || 0 },
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
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}
