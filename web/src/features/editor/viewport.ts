/** Where the canvas is looked at. */
import type { ReactFlowInstance } from '@xyflow/react'
import type { Point } from '../../canvas/diagram'

export const FIT_VIEW = { padding: 0.08, maxZoom: 1.1, duration: 250 }

const CARD = { width: 220, height: 80 }

/** The point of the canvas that is in the middle of the view. */
export function middleOf(flow: Pick<ReactFlowInstance, 'screenToFlowPosition'>): Point {
  const pane = document.querySelector('.react-flow')?.getBoundingClientRect()
  return flow.screenToFlowPosition({
    x: (pane?.left ?? 0) + (pane?.width ?? 0) / 2,
    y: (pane?.top ?? 0) + (pane?.height ?? 0) / 2,
  })
}

/** Whether a card at this point is in view, whole. */
export function isInView(flow: Pick<ReactFlowInstance, 'screenToFlowPosition'>, { x, y }: Point): boolean {
  const pane = document.querySelector('.react-flow')?.getBoundingClientRect()
  if (!pane) return true
  const start = flow.screenToFlowPosition({ x: pane.left, y: pane.top })
  const end = flow.screenToFlowPosition({ x: pane.right, y: pane.bottom })
  return x >= start.x && y >= start.y && x + CARD.width <= end.x && y + CARD.height <= end.y
}
