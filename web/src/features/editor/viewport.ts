/** Where the canvas is looked at. */
import type { ReactFlowInstance } from '@xyflow/react'
import type { Point } from '../../canvas/diagram'

export const FIT_VIEW = { padding: 0.2, maxZoom: 1.1, duration: 250 }

/** The point of the canvas that is in the middle of the view. */
export function middleOf(flow: Pick<ReactFlowInstance, 'screenToFlowPosition'>): Point {
  const pane = document.querySelector('.react-flow')?.getBoundingClientRect()
  return flow.screenToFlowPosition({
    x: (pane?.left ?? 0) + (pane?.width ?? 0) / 2,
    y: (pane?.top ?? 0) + (pane?.height ?? 0) / 2,
  })
}
