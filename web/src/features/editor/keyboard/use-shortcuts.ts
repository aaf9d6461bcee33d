/**
 * The editor's keyboard. Keys belong to a field or dialog while one has the focus, else to the part of the page that was
 * used last. Undo and redo are of the canvas, whichever part has the keyboard and in the fields of steps as well: it is
 * the only one with a history.
 */
import { type ReactFlowInstance, useReactFlow } from '@xyflow/react'
import { useEffect } from 'react'
import {
  copySelection,
  deleteSelection,
  duplicateSelection,
  paste,
  selectAll,
  toggleDisabled,
} from '../../../canvas/actions'
import type { CanvasSession } from '../../../canvas/session'
import { notify } from '../../../components/toast'
import type { EditorHandle, EditorStore } from '../state'
import { FIT_VIEW, isInView, middleOf, pointOf } from '../viewport'
import type { KeyboardOwner } from './owner'
import { type Shortcut, ShortcutMatcher } from './shortcuts'
import { isCanvasField, useHistory } from './use-history'

export function useShortcuts(session: CanvasSession, { store, keyboard }: EditorHandle): void {
  const flow = useReactFlow()
  useHistory(session.document)
  useEffect(() => {
    const matcher = new ShortcutMatcher()
    /** Where the pointer is on the screen. */
    let pointer: { x: number; y: number } | undefined
    const onPointer = ({ clientX, clientY }: PointerEvent) => {
      pointer = { x: clientX, y: clientY }
    }
    const onKeyDown = (event: KeyboardEvent) => {
      const shortcut = matcher.find(event)
      const action = shortcut && actionOf(shortcut, event, { session, store, keyboard, flow })
      if (!action) return
      event.preventDefault()
      action()
    }
    const copy = (event: ClipboardEvent): boolean => {
      if (isBusy(event) || !event.clipboardData || !getSelection()?.isCollapsed) return false
      const copied =
        keyboard.part === 'canvas' ? copyNodes(session, event.clipboardData) : keyboard.copy(event.clipboardData)
      if (copied) event.preventDefault()
      return copied
    }
    const onCopy = (event: ClipboardEvent) => void copy(event)
    const onCut = (event: ClipboardEvent) => {
      if (keyboard.part === 'canvas' && copy(event)) deleteSelection(session)
    }
    const onPaste = (event: ClipboardEvent) => {
      if (isBusy(event) || keyboard.part !== 'canvas' || session.document.readOnly) return
      const text = event.clipboardData?.getData('text/plain') ?? ''
      if (text) pasteAt(text, session, flow, pointer)
    }
    const stopFollowing = keyboard.follow()
    addEventListener('keydown', onKeyDown)
    document.addEventListener('pointermove', onPointer, { capture: true, passive: true })
    document.addEventListener('copy', onCopy)
    document.addEventListener('cut', onCut)
    document.addEventListener('paste', onPaste)
    return () => {
      stopFollowing()
      removeEventListener('keydown', onKeyDown)
      document.removeEventListener('pointermove', onPointer, { capture: true })
      document.removeEventListener('copy', onCopy)
      document.removeEventListener('cut', onCut)
      document.removeEventListener('paste', onPaste)
    }
  }, [session, store, keyboard, flow])
}

interface Place {
  session: CanvasSession
  store: EditorStore
  keyboard: KeyboardOwner
  flow: ReactFlowInstance
}

function actionOf(shortcut: Shortcut, event: KeyboardEvent, place: Place): (() => void) | undefined {
  const { session, store, keyboard } = place
  if (shortcut === 'commands') return () => store.setState(({ commandsOpen }) => ({ commandsOpen: !commandsOpen }))
  if (isBusy(event) && !(isCanvasField(event) && ['undo', 'redo'].includes(shortcut))) return undefined
  if (shortcut === 'undo') return () => session.document.undoEdit()
  if (shortcut === 'redo') return () => session.document.redoEdit()
  const mayEdit = !session.document.readOnly
  if (keyboard.part === 'canvas') {
    return viewActionOf(shortcut, place) ?? (mayEdit ? editActionOf(shortcut, event, place) : undefined)
  }
  if (shortcut === 'select-all') return () => keyboard.selectAll()
  if (shortcut === 'leave') return () => keyboard.leave()
  return undefined
}

function viewActionOf(shortcut: Shortcut, { session, flow }: Place): (() => void) | undefined {
  switch (shortcut) {
    case 'select-all':
      return () => selectAll(session)
    case 'leave':
      return () => session.view.select([])
    case 'fit':
      return () => void flow.fitView(FIT_VIEW)
    case 'zoom-in':
      return () => void flow.zoomIn({ duration: 150 })
    case 'zoom-out':
      return () => void flow.zoomOut({ duration: 150 })
    default:
      return undefined
  }
}

function editActionOf(shortcut: Shortcut, event: KeyboardEvent, { session, store }: Place): (() => void) | undefined {
  switch (shortcut) {
    case 'duplicate':
      return () => duplicateSelection(session)
    case 'delete':
      return () => deleteSelection(session)
    case 'disable':
      return () => toggleDisabled(session)
    case 'rename':
      return () => store.setState(({ focusLabel }) => ({ focusLabel: focusLabel + 1 }))
    case 'search-steps':
      // From the page or the pane Tab opens the palette; from a control it goes on to the next one.
      return isOnCanvas(event)
        ? () => store.setState(({ focusPalette }) => ({ focusPalette: focusPalette + 1 }))
        : undefined
    default:
      return undefined
  }
}

function copyNodes(session: CanvasSession, clipboard: DataTransfer): boolean {
  const text = copySelection(session)
  if (text) clipboard.setData('text/plain', text)
  return text !== undefined
}

/** Pastes at the pointer when it is over the canvas, else in the middle of the view. */
function pasteAt(
  text: string,
  session: CanvasSession,
  flow: ReactFlowInstance,
  pointer: { x: number; y: number } | undefined,
): void {
  const at = pointer && pointOf(flow, pointer)
  if (!paste(session, text, at ?? middleOf(flow))) {
    notify({
      kind: 'info',
      text: 'The clipboard holds no workflow',
      detail: 'Copy steps here, or paste a .wflow.json.',
    })
    return
  }
  const pasted = new Set(session.view.selection().nodes)
  const hidden = session.view.nodes().some(({ id, position }) => pasted.has(id) && !isInView(flow, position))
  if (hidden && !at) requestAnimationFrame(() => void flow.fitView(FIT_VIEW))
}

function isBusy(event: Event): boolean {
  const target = event.target instanceof Element ? event.target : null
  return (
    target?.closest(
      'input, textarea, select, [contenteditable=true], .cm-editor, [role=dialog], [role=menu], [role=listbox]',
    ) != null
  )
}

function isOnCanvas(event: Event): boolean {
  const target = event.target
  return (
    target === document.body ||
    (target instanceof Element &&
      (target.matches('.react-flow') || target.closest('.react-flow__pane, .react-flow__node') !== null))
  )
}
