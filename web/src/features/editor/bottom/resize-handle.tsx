import type { KeyboardEvent, PointerEvent } from 'react'
import { useEditor, useEditorState } from '../state'

const HEIGHT_MIN = 120
const STEP = 24

/** The panel's upper edge: dragged, or moved with the arrow keys. */
export function ResizeHandle() {
  const { store } = useEditor()
  const height = useEditorState((state) => state.panelHeight)
  const resize = (wanted: number) =>
    store.setState({ panelHeight: Math.min(Math.max(wanted, HEIGHT_MIN), window.innerHeight * 0.7) })

  function onPointerMove(event: PointerEvent<HTMLElement>) {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return
    const bottom = event.currentTarget.parentElement?.getBoundingClientRect().bottom ?? window.innerHeight
    resize(bottom - event.clientY)
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return
    event.preventDefault()
    resize(height + (event.key === 'ArrowUp' ? STEP : -STEP))
  }

  return (
    // biome-ignore lint/a11y/useSemanticElements: an <hr> cannot be dragged; this is the ARIA window splitter
    <div
      role="separator"
      tabIndex={0}
      aria-label="Height of the panel"
      aria-orientation="horizontal"
      aria-valuenow={Math.round(height)}
      aria-valuemin={HEIGHT_MIN}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={onPointerMove}
      onKeyDown={onKeyDown}
      className="-top-1 absolute inset-x-0 z-10 h-2 touch-none cursor-row-resize hover:bg-accent/20"
    />
  )
}
