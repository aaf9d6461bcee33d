/** The operations of the API that the pages use, one function each. */
import { client, content } from './client'
import type { NewUser, NodeOutput, UserChange, WorkflowChange, WorkflowFile } from './types'

const LIST_LIMIT = 200

export const users = {
  list: (cursor: string) =>
    content(
      client.GET('/api/v1/users', {
        params: { query: { limit: LIST_LIMIT, sort: 'name', ...(cursor ? { cursor } : {}) } },
      }),
    ),
  create: (body: NewUser) => content(client.POST('/api/v1/users', { body })),
  change: (user: string, body: UserChange) =>
    content(client.PATCH('/api/v1/users/{user}', { params: { path: { user } }, body })),
  remove: (user: string) => content(client.DELETE('/api/v1/users/{user}', { params: { path: { user } } })),
}

export const workspaces = {
  list: () => content(client.GET('/api/v1/workspaces', { params: { query: { limit: LIST_LIMIT, sort: 'name' } } })),
  create: (name: string) => content(client.POST('/api/v1/workspaces', { body: { name } })),
  rename: (workspace: string, name: string) =>
    content(client.PATCH('/api/v1/workspaces/{workspace}', { params: { path: { workspace } }, body: { name } })),
  delete: (workspace: string) =>
    content(client.DELETE('/api/v1/workspaces/{workspace}', { params: { path: { workspace } } })),
}

export const workflows = {
  list: (filter: { workspace_id: string; q?: string; cursor?: string }) =>
    content(
      client.GET('/api/v1/workflows', { params: { query: { ...filter, limit: LIST_LIMIT, sort: '-updated_at' } } }),
    ),
  find: (workflow: string) => content(client.GET('/api/v1/workflows/{workflow}', { params: { path: { workflow } } })),
  create: (body: { workspace_id: string; name: string }) => content(client.POST('/api/v1/workflows', { body })),
  update: (workflow: string, body: WorkflowChange) =>
    content(client.PATCH('/api/v1/workflows/{workflow}', { params: { path: { workflow } }, body })),
  delete: (workflow: string) =>
    content(client.DELETE('/api/v1/workflows/{workflow}', { params: { path: { workflow } } })),
  export: (workflow: string) =>
    content(client.GET('/api/v1/workflows/{workflow}/export', { params: { path: { workflow } } })),
  /** A canvas that is held back is opened by the next who comes, if that is possible now. */
  tryAgain: (workflow: string) =>
    content(client.POST('/api/v1/workflows/{workflow}/try-again', { params: { path: { workflow } } })),
  /** The file may be anything: the server tells what is wrong with it. */
  import: (workspace_id: string, file: unknown) =>
    content(client.POST('/api/v1/workflows/import', { body: { workspace_id, file: file as WorkflowFile } })),
}

export const versions = {
  list: (workflow: string) =>
    content(client.GET('/api/v1/workflows/{workflow}/versions', { params: { path: { workflow } } })),
  /** Who changed what since the published version, and the revision that this is true of. */
  changes: async (workflow: string) => {
    const { data, response } = await client.GET('/api/v1/workflows/{workflow}/changes', {
      params: { path: { workflow }, query: { limit: LIST_LIMIT } },
    })
    return { items: data?.items ?? [], total: data?.total ?? 0, revision: response.headers.get('etag') ?? '' }
  },
  /** Publishes what was seen at `revision`, and nothing else. */
  publish: (workflow: string, revision: string, note: string) =>
    content(
      client.POST('/api/v1/workflows/{workflow}/versions', {
        params: { path: { workflow }, header: { 'If-Match': revision } },
        body: { note },
      }),
    ),
  lastChange: async (workflow: string, node: string) => {
    const params = { path: { workflow }, query: { node } }
    const { items } = await content(client.GET('/api/v1/workflows/{workflow}/authors', { params }))
    return items[0] ?? null
  },
}

export const nodeTypes = () => content(client.GET('/api/v1/node-types'))

export const runs = {
  start: (workflow: string) =>
    content(client.POST('/api/v1/workflows/{workflow}/runs', { params: { path: { workflow } } })),
  cancel: (run: string) => content(client.POST('/api/v1/runs/{run}/cancel', { params: { path: { run } } })),
  output: async (run: string, node: string, query: { port?: string; offset: number; limit: number }) => {
    const output = client.GET('/api/v1/runs/{run}/nodes/{node}/output', { params: { path: { run, node }, query } })
    return (await content(output)) as unknown as NodeOutput
  },
}

export const ticket = (workflow: string) =>
  content(client.POST('/api/v1/auth/tickets', { body: { purpose: 'collab', workflow_id: workflow } }))
