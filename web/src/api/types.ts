/** The words of the API, as the pages use them; generated, but for what OpenAPI cannot say. */
import type { components } from './schema'

type Wire = components['schemas']

export type Change = Wire['Change']
export type Column = Wire['Column']
export type ColumnType = Wire['ColumnType']
export type LogEntry = Wire['LogEntry']
export type LogLevel = Wire['LogLevel']
export type NodeFailure = Wire['NodeFailure']
export type NodeStatus = Wire['NodeStatus']
export type NodeTypeSpec = Wire['NodeTypeSpec']
export type Port = Wire['Port']
export type Registration = Wire['Register']
export type Run = Wire['Run']
export type RunStatus = Wire['RunStatus']
export type Session = Wire['Session']
export type Severity = Wire['Severity']
export type Tenant = Wire['Tenant']
export type NewUser = Wire['NewUser']
export type User = Wire['User']
export type UserChange = Wire['UserChange']
export type Role = NonNullable<UserChange['role']>
export type Version = Wire['Version']
export type Workflow = Wire['Workflow']
export type WorkflowChange = Wire['WorkflowChange']
export type WorkflowFile = Wire['WorkflowFile']
export type Workspace = Wire['Workspace']

/** What a diagnostic is about stands beside the rest of it: a node, an edge, or else the diagram. */
export type Diagnostic = Pick<Wire['Diagnostic'], 'code' | 'field' | 'fix' | 'message' | 'severity'> & {
  node?: string
  edge?: string
  diagram?: null
}

/** Node → output port → its columns, where they are known. */
export type Schemas = Record<string, Record<string, Column[]>>

export type NodeOutput = Omit<Wire['NodeOutput'], 'value'> & { value?: unknown }
