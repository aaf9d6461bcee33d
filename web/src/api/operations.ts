/** The operations of the API that the pages use, one function each. */
import { request } from './http'
import type { LogEntry, NodeOutput, NodeTypeSpec, Page, Run, Workflow, Workspace } from './types'

const LIST_LIMIT = 200

export const workspaces = {
  list: () => request<Page<Workspace>>('GET', '/workspaces', { query: { limit: LIST_LIMIT } }),
  create: (name: string) => request<Workspace>('POST', '/workspaces', { body: { name } }),
  rename: (id: string, name: string) => request<Workspace>('PATCH', `/workspaces/${id}`, { body: { name } }),
  delete: (id: string) => request<void>('DELETE', `/workspaces/${id}`),
}

export interface WorkflowChanges {
  name?: string
  description?: string
  tags?: string[]
  parameters?: Record<string, unknown>
}

export const workflows = {
  list: (filter: { workspace_id: string; q?: string; cursor?: string }) =>
    request<Page<Workflow>>('GET', '/workflows', { query: { ...filter, limit: LIST_LIMIT, sort: '-updated_at' } }),
  find: (id: string) => request<Workflow>('GET', `/workflows/${id}`),
  create: (workflow: { workspace_id: string; name: string }) =>
    request<Workflow>('POST', '/workflows', { body: workflow }),
  update: (id: string, changes: WorkflowChanges) => request<Workflow>('PATCH', `/workflows/${id}`, { body: changes }),
  delete: (id: string) => request<void>('DELETE', `/workflows/${id}`),
  export: (id: string) => request<Record<string, unknown>>('GET', `/workflows/${id}/export`),
  import: (workspace_id: string, file: unknown) =>
    request<Workflow>('POST', '/workflows/import', { body: { workspace_id, file } }),
}

export const nodeTypes = () => request<Page<NodeTypeSpec>>('GET', '/node-types')

export const runs = {
  start: (workflow: string) => request<Run>('POST', `/workflows/${workflow}/runs`, { body: {} }),
  cancel: (run: string) => request<void>('POST', `/runs/${run}/cancel`),
  output: (run: string, node: string, page: { port?: string; offset: number; limit: number }) =>
    request<NodeOutput>('GET', `/runs/${run}/nodes/${encodeURIComponent(node)}/output`, { query: page }),
  logs: (run: string, after: number) => request<Page<LogEntry>>('GET', `/runs/${run}/logs`, { query: { after } }),
}

export const ticket = (purpose: 'collab' | 'events', workflow_id?: string) =>
  request<{ ticket: string; expires_in: number }>('POST', '/auth/tickets', { body: { purpose, workflow_id } })
