import { useNavigate } from '@tanstack/react-router'
import { useCreateWorkflow } from './use-mutations'

/** Creates a workflow and opens it. */
export function useNewWorkflow(workspace: string) {
  const navigate = useNavigate()
  const { mutate, isPending } = useCreateWorkflow()
  const create = () =>
    mutate(
      { workspace_id: workspace, name: 'Untitled workflow' },
      { onSuccess: ({ id }) => void navigate({ to: '/workflows/$workflow', params: { workflow: id } }) },
    )
  return { create, creating: isPending }
}
