import type { Workflow } from '../../api/types'
import { Dialog } from '../../components/dialog'
import { NameDialog } from './name-dialog'
import { useDeleteWorkflow, useUpdateWorkflow } from './use-mutations'

export type WorkflowAction = 'rename' | 'delete'

export function WorkflowQuestion({
  action,
  workflow,
  onClose,
}: {
  action: WorkflowAction
  workflow: Workflow
  onClose: () => void
}) {
  const update = useUpdateWorkflow()
  const remove = useDeleteWorkflow()
  if (action === 'rename') {
    const submit = (name: string) => update.mutate({ id: workflow.id, name }, { onSuccess: onClose })
    return (
      <NameDialog
        title="Rename workflow"
        action="Rename"
        initial={workflow.name}
        busy={update.isPending}
        onSubmit={submit}
        onClose={onClose}
      />
    )
  }
  return (
    <Dialog
      open
      danger
      title={`Delete “${workflow.name}”?`}
      description="Whoever has it open is sent away."
      action="Delete workflow"
      busy={remove.isPending}
      onSubmit={() => remove.mutate(workflow.id, { onSuccess: onClose })}
      onClose={onClose}
    />
  )
}
