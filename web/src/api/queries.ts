/** What the pages read, as TanStack Query options: one key for one thing. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { orKept } from '../offline/answers'
import { unsavedWorkflows } from '../offline/database'
import { nodeTypes, runs, users, versions, workflows, workspaces } from './operations'
import { session } from './session'

export const OUTPUT_PAGE_ROWS = 200

export const peopleQuery = infiniteQueryOptions({
  queryKey: ['users'],
  queryFn: ({ pageParam }) => users.list(pageParam),
  initialPageParam: '',
  getNextPageParam: (page) => page.next_cursor ?? undefined,
})

export const workspacesQuery = queryOptions({
  queryKey: ['workspaces'],
  queryFn: () => kept('workspaces', workspaces.list),
})

export const workflowsQuery = (workspace: string, q: string) =>
  infiniteQueryOptions({
    queryKey: ['workflows', workspace, q],
    queryFn: ({ pageParam }) => {
      const page = () =>
        workflows.list({ workspace_id: workspace, ...(q ? { q } : {}), ...(pageParam ? { cursor: pageParam } : {}) })
      return q || pageParam ? page() : kept(`workflows ${workspace}`, page)
    },
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: (previous) => previous,
  })

export const workflowQuery = (id: string) =>
  queryOptions({ queryKey: ['workflow', id], queryFn: () => kept(`workflow ${id}`, () => workflows.find(id)) })

/** The workflows in which this device has changes that the server has not. */
export const unsavedQuery = queryOptions({
  queryKey: ['unsaved'],
  queryFn: async () => {
    const user = userId()
    return user === undefined ? new Set<string>() : unsavedWorkflows(user)
  },
  // Nobody tells when it changes, and asking costs nothing.
  staleTime: 0,
})

export const nodeTypesQuery = queryOptions({
  queryKey: ['node-types'],
  queryFn: () => kept('node-types', nodeTypes),
  staleTime: 3_600_000,
})

/** One page of what a step put out. A step's output in a run never changes. */
export const outputQuery = (run: string, node: string, port: string | undefined, page: number) =>
  queryOptions({
    queryKey: ['output', run, node, port, page],
    queryFn: () =>
      runs.output(run, node, { ...(port ? { port } : {}), offset: page * OUTPUT_PAGE_ROWS, limit: OUTPUT_PAGE_ROWS }),
    staleTime: Number.POSITIVE_INFINITY,
  })

/** More rows than these are not taken at once. */
export const TAKEN_ROWS_MAX = 10_000
/** The server gives no more in one answer. */
const ANSWER_ROWS_MAX = 1_000

/** The first rows of what a step put out, to be copied. */
export const outputRowsQuery = (run: string, node: string, port: string | undefined, count: number) =>
  queryOptions({
    queryKey: ['output-rows', run, node, port, count],
    queryFn: async () => {
      const rows: Record<string, unknown>[] = []
      while (rows.length < count) {
        const limit = Math.min(ANSWER_ROWS_MAX, count - rows.length)
        const { items } = await runs.output(run, node, { ...(port ? { port } : {}), offset: rows.length, limit })
        if (items.length === 0) break
        rows.push(...(items as Record<string, unknown>[]))
      }
      return rows
    },
    staleTime: Number.POSITIVE_INFINITY,
  })

/** What the editor and the list need to open without the server is kept on this device. */
function kept<T>(key: string, ask: () => Promise<T>): Promise<T> {
  return orKept(userId, key, ask)
}

function userId(): string | undefined {
  const state = session.getState()
  return state.kind === 'signed-in' ? state.user.id : undefined
}

/** Asked anew whenever it is shown: everybody's edits change it. */
export const changesQuery = (workflow: string) =>
  queryOptions({ queryKey: ['changes', workflow], queryFn: () => versions.changes(workflow), staleTime: 0, gcTime: 0 })

export const versionsQuery = (workflow: string) =>
  queryOptions({ queryKey: ['versions', workflow], queryFn: () => versions.list(workflow) })

export const lastChangeQuery = (workflow: string, node: string) =>
  queryOptions({ queryKey: ['last-change', workflow, node], queryFn: () => versions.lastChange(workflow, node) })
