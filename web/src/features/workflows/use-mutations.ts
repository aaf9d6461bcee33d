/** The changes that can be made to workspaces and workflows. */
import { workflows, workspaces } from '../../api/operations'
import type { WorkflowChange } from '../../api/types'
import { useChange } from '../use-change'

export const useCreateWorkspace = () => useChange(workspaces.create, ['workspaces'])
export const useRenameWorkspace = () =>
  useChange(({ id, name }: { id: string; name: string }) => workspaces.rename(id, name), ['workspaces'])
export const useDeleteWorkspace = () => useChange(workspaces.delete, ['workspaces', 'workflows'])

export const useCreateWorkflow = () => useChange(workflows.create, ['workflows'])
export const useUpdateWorkflow = () =>
  useChange(
    ({ id, ...changes }: WorkflowChange & { id: string }) => workflows.update(id, changes),
    ['workflows', 'workflow'],
  )
export const useDeleteWorkflow = () => useChange(workflows.delete, ['workflows'])
export const useImportWorkflow = (onError: (error: Error) => void) =>
  useChange(
    ({ workspace, file }: { workspace: string; file: unknown }) => workflows.import(workspace, file),
    ['workflows'],
    onError,
  )
