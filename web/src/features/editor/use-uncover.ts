import { useReactFlow } from '@xyflow/react'
import { NARROW } from '../../components/use-media'
import type { EditorStore } from './state'
import { paneOf } from './viewport'

/** How much of the canvas the properties hide when they lie over it. */
const COVERED = 336
/** Between a node and the sheet of a narrow page. */
const GAP = 16

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
    const { positionAbsolute: at } = node.internals
    const right = (at.x + (node.measured.width ?? 0)) * zoom + x
    const foot = (at.y + (node.measured.height ?? 0)) * zoom + y
    const sheet = matchMedia(NARROW).matches ? propertiesOf() : undefined
    const hidden = sheet ? foot - (sheet.top - pane.top - GAP) : right - (pane.width - COVERED)
    if (hidden <= 0) return
    void setViewport(sheet ? { x, y: y - hidden, zoom } : { x: x - hidden, y, zoom }, { duration: 200 })
  }
  return (id) => setTimeout(() => uncover(id), DELAY_MS)
}

function propertiesOf(): DOMRect | undefined {
  return document.querySelector('[data-part=properties]')?.getBoundingClientRect()
}
