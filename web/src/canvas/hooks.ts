/** How components read an open canvas: each hook re-renders its component only when what it returns has changed. */
import { createContext, useCallback, useContext, useMemo, useRef, useSyncExternalStore } from 'react'
import * as Y from 'yjs'
import { useStore } from 'zustand'
import type { NodeRunState } from '../api/events'
import type { Column, Diagnostic, NodeTypeSpec } from '../api/types'
import type { CanvasHost } from './host'
import type { Other } from './other'
import { columnsAt, entry, type OverlayState } from './overlay'
import { plain, textOf } from './read'
import type { CanvasSession } from './session'
import type { ProviderState } from './sync/provider'
import type { FlowEdge, FlowNode, Selection } from './view'

export const CanvasContext = createContext<CanvasSession | null>(null)

export function useCanvas(): CanvasSession {
  const session = useContext(CanvasContext)
  if (!session) throw new Error('used outside of an open canvas')
  return session
}

export const HostContext = createContext<CanvasHost | null>(null)

/** Whether what is not saved is at least written on this device. */
export function useKept(): boolean {
  const host = useContext(HostContext)
  if (!host) throw new Error('used outside of an open canvas')
  return useStore(host.state, (state) => state.kept)
}

/** Whether nothing may be edited here, for now or for good. */
export function useReadOnly(): boolean {
  return useProvider((state) => !state.mayEdit)
}

export function useFlowNodes(): FlowNode[] {
  const { view } = useCanvas()
  return useSyncExternalStore(view.subscribe, view.nodes)
}

export function useFlowEdges(): FlowEdge[] {
  const { view } = useCanvas()
  return useSyncExternalStore(view.subscribe, view.edges)
}

/** How many nodes the document has beyond those that are drawn. */
export function useHiddenNodes(): number {
  const { view } = useCanvas()
  return useSyncExternalStore(view.subscribe, view.hidden)
}

export function useSelection(): Selection {
  const { view } = useCanvas()
  return useSyncExternalStore(view.subscribe, view.selection)
}

/** The one node that is selected. */
export function useSelectedNode(): FlowNode | undefined {
  const { view } = useCanvas()
  return useSyncExternalStore(view.subscribe, () => {
    const { nodes } = view.selection()
    return nodes.length === 1 ? view.nodes().find((node) => node.id === nodes[0]) : undefined
  })
}

export function useProvider<T>(select: (state: ProviderState) => T): T {
  return useStore(useCanvas().provider.state, select)
}

export function useOverlay<T>(select: (state: OverlayState) => T): T {
  return useStore(useCanvas().overlay, select)
}

export function useNodeType(id: string): NodeTypeSpec | undefined {
  return useOverlay((state) => state.nodeTypes.get(id))
}

export function useNodeRun(id: string): NodeRunState | undefined {
  return useOverlay((state) => entry(state.runs, id))
}

const NO_DIAGNOSTICS: readonly Diagnostic[] = []

export function useNodeDiagnostics(id: string): readonly Diagnostic[] {
  return useOverlay((state) => entry(state.byNode, id) ?? NO_DIAGNOSTICS)
}

/** Everybody else, again whenever that part of what they do changes. */
export function useOthers(part: 'people' | 'cursor'): readonly Other[] {
  const { presence } = useCanvas()
  return useSyncExternalStore(
    useCallback((listener) => presence.subscribe(part, listener), [presence, part]),
    () => presence.others(),
  )
}

export function useSelectedBy(node: string): readonly Other[] {
  const { presence } = useCanvas()
  return useSyncExternalStore(
    useCallback((listener) => presence.subscribe('selection', listener), [presence]),
    () => presence.selecting(node),
  )
}

export function useEditedBy(field: string): readonly Other[] {
  const { presence } = useCanvas()
  return useSyncExternalStore(
    useCallback((listener) => presence.subscribe('field', listener), [presence]),
    () => presence.editing(field),
  )
}

/** One key of a node's config, as plain JSON. Shared text reads as a string. */
export function useConfigValue(node: string, key: string): unknown {
  const { document } = useCanvas()
  const { subscribe, changes } = useNodeFeed(node)
  // What is shared stays the same object while it changes: what it says now is known by its changes.
  const held = useSyncExternalStore(subscribe, () => {
    const value = document.configValue(node, key)
    if (value instanceof Y.Text) return value.toString()
    return value instanceof Y.AbstractType ? changes.current : value
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: read again when what it holds is another
  return useMemo(() => plain(document.configValue(node, key)), [document, node, key, held])
}

/**
 * A text of a node's config as it is held: a shared text, which stays the same object while people type in it, or a
 * plain string. One that says what the other said is another text all the same.
 */
export function useConfigText(node: string, key: string): Y.Text | string {
  const { document } = useCanvas()
  const { subscribe } = useNodeFeed(node)
  return useSyncExternalStore(
    subscribe,
    () => document.sharedText(node, key) ?? textOf(document.configValue(node, key)) ?? '',
  )
}

/** Counts the changes of a node: what is drawn of it may be the same after one. */
export function useNodeChanges(node: string): number {
  const { subscribe, changes } = useNodeFeed(node)
  return useSyncExternalStore(subscribe, () => changes.current)
}

/** How to hear of the changes of a node, and how many were heard of. */
function useNodeFeed(node: string) {
  const { document } = useCanvas()
  const changes = useRef(0)
  const subscribe = useCallback(
    (listener: () => void) => {
      const { nodes } = document
      const onChange = (events: Y.YEvent<Y.AbstractType<unknown>>[]) => {
        if (!events.some((event) => event.path.length === 0 || event.path[0] === node)) return
        changes.current++
        listener()
      }
      nodes.observeDeep(onChange)
      return () => nodes.unobserveDeep(onChange)
    },
    [document, node],
  )
  return { subscribe, changes }
}

/** The columns that arrive at an input port of a node; without a port, at its first. */
export function useColumns(node: { id: string; nodeType: string }, port: string | undefined): Column[] {
  const edges = useFlowEdges()
  const schemas = useOverlay((state) => state.schemas)
  const nodeTypes = useOverlay((state) => state.nodeTypes)
  return columnsAt({ schemas, nodeTypes }, edges, node, port)
}

export interface UndoState {
  canUndo: boolean
  canRedo: boolean
}

export function useUndoState(): UndoState {
  const { document } = useCanvas()
  const { undo } = document
  const subscribe = useCallback(
    (listener: () => void) => {
      const events = ['stack-item-added', 'stack-item-popped', 'stack-item-updated', 'stack-cleared'] as const
      for (const event of events) undo.on(event, listener)
      return () => {
        for (const event of events) undo.off(event, listener)
      }
    },
    [undo],
  )
  const canUndo = useSyncExternalStore(subscribe, () => undo.undoStack.length > 0)
  const canRedo = useSyncExternalStore(subscribe, () => undo.redoStack.length > 0)
  return { canUndo, canRedo }
}
