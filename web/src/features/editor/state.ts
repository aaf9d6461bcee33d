/** The editor's view state, and the run that it follows. Nothing of the document is here. */
import { createContext, useContext } from 'react'
import { useStore } from 'zustand'
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { LogEntry, Run } from '../../api/types'

export type Tab = 'run' | 'logs' | 'output' | 'problems'

export interface EditorState {
  tab: Tab
  panelOpen: boolean
  panelHeight: number
  commandsOpen: boolean
  /** The run whose states are on the canvas. */
  run: Run | null
  logs: readonly LogEntry[]
  /** Counts requests to focus: the palette's search, the label of the selected node. */
  focusPalette: number
  focusLabel: number
}

export type EditorStore = StoreApi<EditorState>

export interface EditorHandle {
  workflow: string
  store: EditorStore
}

export function createEditorStore(): EditorStore {
  return createStore(() => ({
    tab: 'run',
    panelOpen: true,
    panelHeight: 232,
    commandsOpen: false,
    run: null,
    logs: [],
    focusPalette: 0,
    focusLabel: 0,
  }))
}

export const EditorContext = createContext<EditorHandle | null>(null)

export function useEditor(): EditorHandle {
  const handle = useContext(EditorContext)
  if (!handle) throw new Error('used outside of the editor')
  return handle
}

export function useEditorState<T>(select: (state: EditorState) => T): T {
  return useStore(useEditor().store, select)
}

export function showTab(store: EditorStore, tab: Tab): void {
  store.setState({ tab, panelOpen: true })
}

export function isLive(run: Run | null): boolean {
  return run !== null && run.finished_at == null && !['success', 'error', 'canceled', 'timeout'].includes(run.status)
}
