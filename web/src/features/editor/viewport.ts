/** Where the canvas is looked at. */
import type { ReactFlowInstance } from '@xyflow/react'
import type { Point } from '../../canvas/diagram'
import { FIT } from '../../canvas/viewport'

export const FIT_VIEW = { ...FIT, duration: 250 }

const CARD = { width: 220, height: 80 }

export function paneOf(): DOMRect | undefined {
  return document.querySelector('.react-flow')?.getBoundingClientRect()
}

/** The point of the canvas that is in the middle of the view. */
export function middleOf(flow: Pick<ReactFlowInstance, 'screenToFlowPosition'>): Point {
  const pane = paneOf()
  return flow.screenToFlowPosition({
    x: (pane?.left ?? 0) + (pane?.width ?? 0) / 2,
    y: (pane?.top ?? 0) + (pane?.height ?? 0) / 2,
  })
}

/** The point of the canvas that is at a place on the screen. `undefined`: something else is there. */
export function pointOf(flow: Pick<ReactFlowInstance, 'screenToFlowPosition'>, { x, y }: Point): Point | undefined {
  const isOver = document.elementFromPoint(x, y)?.closest('.react-flow') != null
  return isOver ? flow.screenToFlowPosition({ x, y }, { snapToGrid: false }) : undefined
}

/** Whether a card at this point is in view, whole. */
export function isInView(flow: Pick<ReactFlowInstance, 'screenToFlowPosition'>, { x, y }: Point): boolean {
  const pane = paneOf()
  if (!pane) return true
  const start = flow.screenToFlowPosition({ x: pane.left, y: pane.top })
  const end = flow.screenToFlowPosition({ x: pane.right, y: pane.bottom })
  return x >= start.x && y >= start.y && x + CARD.width <= end.x && y + CARD.height <= end.y
}
