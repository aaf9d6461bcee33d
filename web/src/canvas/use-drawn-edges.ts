import { type ReactFlowState, useStore } from '@xyflow/react'
import { useMemo } from 'react'
import type { Point } from './diagram'
import { useFlowEdges, useFlowNodes } from './hooks'
import type { FlowEdge } from './view'

/** As many lines as a page draws at once. Of more, only those in view are drawn, and no more than these. */
const DRAWN_MAX = 2_000
/** Lines are chosen anew when the view has moved by this much. */
const STEP = 800
/** Around what is in view. */
const MARGIN = 2 * STEP

/** The lines that are drawn: all of them, or those in view where there are thousands. */
export function useDrawnEdges(): FlowEdge[] {
  const edges = useFlowEdges()
  const nodes = useFlowNodes()
  const many = edges.length > DRAWN_MAX
  const view = useStore((state) => (many ? windowOf(state) : ''))
  return useMemo(() => (many ? inView(edges, nodes, view) : edges), [many, edges, nodes, view])
}

/** What is in view, in steps, so that not every move of it is another one. */
function windowOf({ transform: [x, y, zoom], width, height }: ReactFlowState): string {
  const [left, top] = [-x / zoom, -y / zoom]
  return [left, top, left + width / zoom, top + height / zoom].map((at) => Math.round(at / STEP)).join(' ')
}

function inView(
  edges: readonly FlowEdge[],
  nodes: readonly { id: string; position: Point }[],
  view: string,
): FlowEdge[] {
  const [left = 0, top = 0, right = 0, bottom = 0] = view.split(' ').map((at) => Number(at) * STEP)
  const places = new Map(nodes.map(({ id, position }) => [id, position]))
  const drawn: FlowEdge[] = []
  for (const edge of edges) {
    const [from, to] = [places.get(edge.source), places.get(edge.target)]
    if (!from || !to) continue
    const isIn =
      Math.max(from.x, to.x) > left - MARGIN &&
      Math.min(from.x, to.x) < right + MARGIN &&
      Math.max(from.y, to.y) > top - MARGIN &&
      Math.min(from.y, to.y) < bottom + MARGIN
    if (isIn && drawn.push(edge) === DRAWN_MAX) break
  }
  return drawn
}
