/** What the pages read, as TanStack Query options: one key for one thing. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { nodeTypes, runs, workflows, workspaces } from './operations'

const OUTPUT_PAGE_ROWS = 200

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

export const outputQuery = (run: string, node: string, port: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ['output', run, node, port],
    queryFn: ({ pageParam }) =>
      runs.output(run, node, { ...(port ? { port } : {}), offset: pageParam, limit: OUTPUT_PAGE_ROWS }),
    initialPageParam: 0,
    getNextPageParam: (page, pages) => {
      const loaded = pages.reduce((count, { items }) => count + items.length, 0)
      return page.items.length > 0 && loaded < page.rows ? loaded : undefined
    },
    staleTime: Number.POSITIVE_INFINITY,
  })
