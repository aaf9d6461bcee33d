/** The editor's keyboard. Keys belong to a field or dialog while one has the focus. */
import { type ReactFlowInstance, useReactFlow } from '@xyflow/react'
import { useEffect } from 'react'
import {
  copySelection,
  deleteSelection,
  duplicateSelection,
  paste,
  selectAll,
  toggleDisabled,
} from '../../canvas/actions'
import type { CanvasSession } from '../../canvas/session'
import { notify } from '../../components/toast'
import type { EditorStore } from './state'
import { FIT_VIEW, isInView, middleOf } from './viewport'

export function useShortcuts(session: CanvasSession, store: EditorStore): void {
  const flow = useReactFlow()
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const action = isCommandKey(event)
        ? openCommands(store)
        : isBusy(event)
          ? undefined
          : actionOf(event, session, store, flow)
      if (!action) return
      event.preventDefault()
      action()
    }
    const onCopy = (event: ClipboardEvent) => copy(event, session)
    const onCut = (event: ClipboardEvent) => copy(event, session) && deleteSelection(session)
    const onPaste = (event: ClipboardEvent) => {
      if (isBusy(event) || session.document.readOnly) return
      const text = event.clipboardData?.getData('text/plain') ?? ''
      if (!text) return
      if (paste(session, text, middleOf(flow))) {
        const { nodes } = session.view.selection()
        const positions = session.view.nodes().filter(({ id }) => nodes.includes(id))
        if (!positions.every(({ position }) => isInView(flow, position)))
          requestAnimationFrame(() => void flow.fitView(FIT_VIEW))
      } else {
        notify({
          kind: 'info',
          text: 'The clipboard holds no workflow',
          detail: 'Copy steps here, or paste a .wflow.json.',
        })
      }
    }
    addEventListener('keydown', onKeyDown)
    document.addEventListener('copy', onCopy)
    document.addEventListener('cut', onCut)
    document.addEventListener('paste', onPaste)
    return () => {
      removeEventListener('keydown', onKeyDown)
      document.removeEventListener('copy', onCopy)
      document.removeEventListener('cut', onCut)
      document.removeEventListener('paste', onPaste)
    }
  }, [session, store, flow])
}

function actionOf(
  event: KeyboardEvent,
  session: CanvasSession,
  store: EditorStore,
  flow: ReactFlowInstance,
): (() => void) | undefined {
  const view = viewActionOf(event, session, flow)
  return view ?? (session.document.readOnly ? undefined : editActionOf(event, session, store))
}

function editActionOf(event: KeyboardEvent, session: CanvasSession, store: EditorStore): (() => void) | undefined {
  const { document } = session
  const key = event.key.toLowerCase()
  if (event.ctrlKey || event.metaKey) {
    if (key === 'z') return event.shiftKey ? () => document.redoEdit() : () => document.undoEdit()
    if (key === 'y') return () => document.redoEdit()
    if (key === 'd') return () => duplicateSelection(session)
    return undefined
  }
  if (event.altKey) return undefined
  switch (key) {
    case 'delete':
    case 'backspace':
      return () => deleteSelection(session)
    case 'd':
      return () => toggleDisabled(session)
    case 'f2':
      return () => store.setState(({ focusLabel }) => ({ focusLabel: focusLabel + 1 }))
    case 'tab':
      // From the page or the pane Tab opens the palette; from a control it goes on to the next one.
      return isOnCanvas(event) && !event.shiftKey
        ? () => store.setState(({ focusPalette }) => ({ focusPalette: focusPalette + 1 }))
        : undefined
    default:
      return undefined
  }
}

function viewActionOf(event: KeyboardEvent, session: CanvasSession, flow: ReactFlowInstance): (() => void) | undefined {
  const key = event.key.toLowerCase()
  if (event.ctrlKey || event.metaKey) return key === 'a' ? () => selectAll(session) : undefined
  if (event.altKey) return undefined
  switch (key) {
    case 'escape':
      return () => session.view.select([])
    case '1':
      return () => void flow.fitView(FIT_VIEW)
    case '+':
    case '=':
      return () => void flow.zoomIn({ duration: 150 })
    case '-':
      return () => void flow.zoomOut({ duration: 150 })
    default:
      return undefined
  }
}

function openCommands(store: EditorStore): () => void {
  return () => store.setState(({ commandsOpen }) => ({ commandsOpen: !commandsOpen }))
}

function isCommandKey(event: KeyboardEvent): boolean {
  return (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k'
}

function copy(event: ClipboardEvent, session: CanvasSession): boolean {
  if (isBusy(event) || !getSelection()?.isCollapsed) return false
  const text = copySelection(session)
  if (!text) return false
  event.clipboardData?.setData('text/plain', text)
  event.preventDefault()
  return true
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
    (target instanceof Element && target.closest('.react-flow__pane, .react-flow__node') !== null)
  )
}
