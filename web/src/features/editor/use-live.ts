/** Keeps the editor up with the server: diagnostics and schemas, whoever's run is on, its states and its log. */
import { useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useStore } from 'zustand'
import type { NodeRunState, RunEvent } from '../../api/events'
import { events } from '../../api/live'
import { changesQuery, versionsQuery, workflowQuery } from '../../api/queries'
import type { LogEntry, Run } from '../../api/types'
import { analysed, entry, foundAll, NOTHING_FOUND } from '../../canvas/overlay'
import type { CanvasSession } from '../../canvas/session'
import { type EditorStore, isLive } from './state'

/** The last lines of a run's log that the page keeps. */
const LOG_LINES_MAX = 5_000

export function useLive(workflow: string, session: CanvasSession, store: EditorStore): void {
  useWorkflowChannel(workflow, session, store)
  const run = useStore(store, (state) => state.run?.id)
  useRunChannel(run, session, store)
  useLogChannel(run, store)
}

/** Shows a run on the canvas from here on. */
export function follow(run: Run | null, session: CanvasSession, store: EditorStore): void {
  if (run?.id === store.getState().run?.id) return
  store.setState({ run, logs: [] })
  session.overlay.setState({ runs: {} })
}

function useWorkflowChannel(workflow: string, session: CanvasSession, store: EditorStore): void {
  const queries = useQueryClient()
  useEffect(
    () =>
      events.subscribe(`workflow:${workflow}`, (event) => {
        switch (event.type) {
          case 'workflow_snapshot':
            session.overlay.setState((state) => foundAll(NOTHING_FOUND, state))
            follow(event.data.latest_run, session, store)
            if (isLive(event.data.latest_run)) store.setState({ panelOpen: true })
            break
          case 'diagnostics':
            session.overlay.setState((state) => analysed(event.data, state))
            break
          case 'run_started':
            follow(event.data.run, session, store)
            break
          case 'workflow_published':
            for (const { queryKey } of [changesQuery(workflow), versionsQuery(workflow)]) {
              void queries.invalidateQueries({ queryKey })
            }
            break
          case 'workflow_update':
            if (event.data.name === undefined)
              void queries.invalidateQueries({ queryKey: workflowQuery(workflow).queryKey })
            else queries.setQueryData(workflowQuery(workflow).queryKey, (known) => known && { ...known, ...event.data })
            break
        }
      }),
    [workflow, session, store, queries],
  )
}

function useRunChannel(run: string | undefined, session: CanvasSession, store: EditorStore): void {
  useEffect(() => {
    if (!run) return
    return events.subscribe(`run:${run}`, (event) => applyRunEvent(event, session, store))
  }, [run, session, store])
}

function applyRunEvent(event: RunEvent, session: CanvasSession, store: EditorStore): void {
  if (event.type === 'run_snapshot') {
    store.setState({ run: event.data.run })
    session.overlay.setState({ runs: event.data.nodes })
  } else if (event.type === 'run_status') {
    const { status, nodes = {} } = event.data
    session.overlay.setState(({ runs }) => ({ runs: merged(runs, nodes) }))
    if (status) store.setState(({ run }) => ({ run: run && { ...run, status } }))
  } else if (event.type in OUTCOMES) {
    const status = OUTCOMES[event.type]
    const failure = event.data?.failure ?? null
    store.setState(({ run }) => ({ run: run && { ...run, status, failure, finished_at: event.timestamp } }))
  }
}

const OUTCOMES = {
  run_completed: 'success',
  run_failed: 'error',
  run_canceled: 'canceled',
  run_timed_out: 'timeout',
} as const

function merged(
  runs: Readonly<Record<string, NodeRunState>>,
  changes: Record<string, Partial<NodeRunState>>,
): Record<string, NodeRunState> {
  const next = { ...runs }
  for (const [node, change] of Object.entries(changes)) {
    next[node] = { ...(entry(next, node) ?? { status: 'pending' }), ...change }
  }
  return next
}

/** A line for those that this page was not sent. */
function leftOut(lines: number, next: LogEntry): LogEntry {
  return { seq: next.seq - 1, at: next.at, level: 'warn', node_id: null, message: `${lines} lines are not shown here` }
}

function useLogChannel(run: string | undefined, store: EditorStore): void {
  useEffect(() => {
    if (!run) return
    return events.subscribe(`run-log:${run}`, ({ data }) => {
      store.setState(({ logs }) => {
        const last = logs.at(-1)?.seq ?? 0
        const fresh = data.entries.filter((entry) => entry.seq > last)
        const first = fresh[0]
        const missing = first ? first.seq - last - 1 : 0
        if (missing > 0 && first) fresh.unshift(leftOut(missing, first))
        return fresh.length === 0 ? {} : { logs: [...logs, ...fresh].slice(-LOG_LINES_MAX) }
      })
    })
  }, [run, store])
}
