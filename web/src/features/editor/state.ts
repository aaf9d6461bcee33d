/** The editor's view state, and the run that it follows. Nothing of the document is here. */
import { createContext, useContext } from 'react'
import { useStore } from 'zustand'
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { LogEntry, Run } from '../../api/types'
import type { KeyboardOwner } from './keyboard/owner'
import { remember, remembered } from './remembered'

export type Tab = 'run' | 'logs' | 'output' | 'problems'

export interface EditorState {
  tab: Tab
  panelOpen: boolean
  panelHeight: number
  /** Whether the palette and the properties have room of their own beside the canvas. */
  palettePinned: boolean
  propertiesPinned: boolean
  commandsOpen: boolean
  /** The run whose states are on the canvas. */
  run: Run | null
  logs: readonly LogEntry[]
  /** Counts requests to focus: the palette's search, the label of the selected node. */
  focusPalette: number
  focusLabel: number
}

/** The height of the bottom panel when only its tabs are shown. */
export const PANEL_CLOSED = 37

/** Below this width the properties lie over the canvas, and only while something is selected. */
const ROOMY_WIDTH = 1280

export type EditorStore = StoreApi<EditorState>

export interface EditorHandle {
  workflow: string
  store: EditorStore
  keyboard: KeyboardOwner
}

export function createEditorStore(): EditorStore {
  return createStore(() => ({
    tab: 'run',
    panelOpen: false,
    panelHeight: 232,
    palettePinned: remembered('palette') ?? false,
    propertiesPinned: window.innerWidth >= ROOMY_WIDTH && (remembered('properties') ?? true),
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

export function pinPalette(store: EditorStore, palettePinned: boolean): void {
  remember('palette', palettePinned)
  store.setState({ palettePinned })
}

export function pinProperties(store: EditorStore, propertiesPinned: boolean): void {
  remember('properties', propertiesPinned)
  store.setState({ propertiesPinned })
}

/** A first workflow is begun with the names of the steps in view. */
export function welcome(store: EditorStore): void {
  if (remembered('palette') === undefined) store.setState({ palettePinned: true })
}

export function isLive(run: Run | null): boolean {
  return run !== null && run.finished_at == null && !['success', 'error', 'canceled', 'timeout'].includes(run.status)
}
