/** What the pages read, as TanStack Query options: one key for one thing. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { nodeTypes, runs, workflows, workspaces } from './operations'

export const OUTPUT_PAGE_ROWS = 200

export const workspacesQuery = queryOptions({ queryKey: ['workspaces'], queryFn: workspaces.list })

export const workflowsQuery = (workspace: string, q: string) =>
  infiniteQueryOptions({
    queryKey: ['workflows', workspace, q],
    queryFn: ({ pageParam }) =>
      workflows.list({ workspace_id: workspace, ...(q ? { q } : {}), ...(pageParam ? { cursor: pageParam } : {}) }),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: (previous) => previous,
  })

export const workflowQuery = (id: string) =>
  queryOptions({ queryKey: ['workflow', id], queryFn: () => workflows.find(id) })

export const nodeTypesQuery = queryOptions({ queryKey: ['node-types'], queryFn: nodeTypes, staleTime: 3_600_000 })

/** One page of what a step put out. A step's output in a run never changes. */
export const outputQuery = (run: string, node: string, port: string | undefined, page: number) =>
  queryOptions({
    queryKey: ['output', run, node, port, page],
    queryFn: () =>
      runs.output(run, node, { ...(port ? { port } : {}), offset: page * OUTPUT_PAGE_ROWS, limit: OUTPUT_PAGE_ROWS }),
    staleTime: Number.POSITIVE_INFINITY,
  })
