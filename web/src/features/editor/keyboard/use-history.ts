/**
 * One history for the canvas and the fields of its steps [CANVAS-6]. What is typed into a field is an edit of the canvas
 * and is undone as one: the browser's own undo knows nothing of what others do there, and would be another edit.
 */
import { useEffect } from 'react'
import type { CanvasDocument } from '../../../canvas/document'

/** Put on what holds fields whose text is written to the canvas as it is typed. */
export const CANVAS_FIELDS = { 'data-history': 'canvas' } as const
/** Put on a field that holds what is not written: the browser undoes that. */
export const UNWRITTEN = { 'data-history': 'browser' } as const

/** What is one step by itself, whatever was typed a moment before and after. */
const WHOLE = ['paste', 'cut', 'drop', 'focusin', 'focusout'] as const

export function isCanvasField({ target }: Event): boolean {
  const holder = target instanceof Element ? target.closest('[data-history]') : null
  return holder?.getAttribute('data-history') === CANVAS_FIELDS['data-history']
}

/** Follows where one step ends and the next begins, and menus, which undo without a key. */
export function useHistory(canvas: CanvasDocument): void {
  useEffect(() => {
    const onBeforeInput = (event: InputEvent) => {
      if (!['historyUndo', 'historyRedo'].includes(event.inputType) || !isCanvasField(event)) return
      event.preventDefault()
      if (event.inputType === 'historyUndo') canvas.undoEdit()
      else canvas.redoEdit()
    }
    const begin = () => canvas.beginStep()
    // The text changes when everybody has heard of the event.
    const endSoon = () => setTimeout(() => canvas.endStep())
    const endOnBothSides = () => {
      canvas.endStep()
      endSoon()
    }
    const listening = new AbortController()
    const options = { capture: true, signal: listening.signal }
    document.addEventListener('beforeinput', onBeforeInput, options)
    document.addEventListener('compositionstart', begin, options)
    document.addEventListener('compositionend', endSoon, options)
    for (const type of WHOLE) document.addEventListener(type, endOnBothSides, options)
    return () => listening.abort()
  }, [canvas])
}
