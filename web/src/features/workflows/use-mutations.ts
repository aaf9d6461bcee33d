/** The changes that can be made to workspaces and workflows; what was changed is read again. */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { users, workflows, workspaces } from '../../api/operations'
import type { WorkflowChange } from '../../api/types'
import { notifyError } from '../../components/toast'

function useChange<Input, Output>(action: (input: Input) => Promise<Output>, keys: string[]) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: action,
    onSettled: () => Promise.all(keys.map((key) => client.invalidateQueries({ queryKey: [key] }))),
    onError: notifyError,
  })
}

export const useAddPerson = () => useChange(users.create, ['users'])

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
export const useImportWorkflow = () =>
  useChange(
    ({ workspace, file }: { workspace: string; file: unknown }) => workflows.import(workspace, file),
    ['workflows'],
  )
