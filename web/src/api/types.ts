/** The words of the API, as the pages use them. */

export type ColumnType =
  | 'string'
  | 'integer'
  | 'float'
  | 'decimal'
  | 'boolean'
  | 'date'
  | 'datetime'
  | 'time'
  | 'duration'
  | 'binary'
  | 'list'
  | 'struct'
  | 'null'
  | 'other'

export interface Column {
  name: string
  type: ColumnType
}

export interface User {
  id: string
  email: string
  name: string
  role: string
  color: string
}

export interface Tenant {
  id: string
  name: string
}

export interface Session {
  access_token: string
  token_type: string
  expires_in: number
  user: User
  tenant: Tenant
}

export interface Page<T> {
  items: T[]
  next_cursor?: string | null
  total?: number | null
}

export interface Workspace {
  id: string
  name: string
  description: string
  created_at: number
  updated_at: number
}

export interface Workflow {
  id: string
  workspace_id: string
  folder_id?: string | null
  job_id?: string | null
  name: string
  description: string
  parameters: Record<string, unknown>
  tags: string[]
  created_at: number
  updated_at: number
  created_by?: string | null
}

export interface Port {
  name: string
  label: string
  kind: 'frame' | 'json' | 'any'
  optional?: boolean
  many?: boolean
}

export interface NodeTypeSpec {
  id: string
  category: string
  name: string
  description: string
  icon: string
  color: string
  inputs: Port[]
  outputs: Port[]
  config_schema: Record<string, unknown>
  config_defaults: Record<string, unknown>
}

export type Severity = 'info' | 'warning' | 'error'

export interface Diagnostic {
  node?: string
  edge?: string
  diagram?: null
  field?: string | null
  severity: Severity
  code: string
  message: string
  fix?: string | null
}

export type Schemas = Record<string, Record<string, Column[]>>

export interface Analysis {
  dependencies: Record<string, string[]>
  execution_order: string[]
  schemas: Schemas
  diagnostics: Diagnostic[]
}

export type RunStatus =
  | 'new'
  | 'running'
  | 'paused'
  | 'waiting_for_human'
  | 'success'
  | 'error'
  | 'canceled'
  | 'timeout'

export type NodeStatus =
  | 'pending'
  | 'running'
  | 'waiting_input'
  | 'retrying'
  | 'completed'
  | 'failed'
  | 'skipped'
  | 'canceled'

export interface NodeFailure {
  code: string
  message: string
  reason?: string | null
  solution?: string | null
  retryable: boolean
}

export interface Run {
  id: string
  workflow_id: string
  status: RunStatus
  trigger: string
  started_by?: string | null
  created_at: number
  started_at?: number | null
  finished_at?: number | null
  failure?: NodeFailure | null
}

export interface NodeOutput {
  port: string
  kind: 'frame' | 'json' | 'signal'
  rows: number
  schema: Column[]
  items: Record<string, unknown>[]
  value?: unknown
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface LogEntry {
  seq: number
  at: number
  level: LogLevel
  node_id?: string | null
  message: string
}
