import { useReactFlow } from '@xyflow/react'
import type { EditorStore } from './state'
import { paneOf } from './viewport'

/** How much of the canvas the properties hide when they lie over it. */
const COVERED = 336

/** A double click is over by then. */
const DELAY_MS = 300

/** Moves the canvas when the properties of a node that was clicked would hide that node. */
export function useUncover(store: EditorStore): (node: string) => void {
  const { getInternalNode, getViewport, setViewport } = useReactFlow()
  const uncover = (id: string) => {
    const node = getInternalNode(id)
    const pane = paneOf()
    if (!node || !pane || store.getState().propertiesPinned) return
    const { x, y, zoom } = getViewport()
    const right = (node.internals.positionAbsolute.x + (node.measured.width ?? 0)) * zoom + x
    const hidden = right - (pane.width - COVERED)
    if (hidden > 0) void setViewport({ x: x - hidden, y, zoom }, { duration: 200 })
  }
  return (id) => setTimeout(() => uncover(id), DELAY_MS)
}
