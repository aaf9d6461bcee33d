import { FolderPlus } from 'lucide-react'
import { Button } from '../../components/button'
import { EmptyState } from '../../components/empty-state'
import { useMay } from '../use-may'
import { useCreateWorkspace } from './use-mutations'

export function WorkspaceEmpty({ onCreated }: { onCreated: (id: string) => void }) {
  const create = useCreateWorkspace()
  const mayWrite = useMay('write')
  const submit = () => create.mutate('My workspace', { onSuccess: (workspace) => onCreated(workspace.id) })
  return (
    <EmptyState
      icon={<FolderPlus />}
      title="Start with a workspace"
      text="A workspace holds the workflows of a team or a topic. Everybody in your company can open it."
    >
      {mayWrite && (
        <Button variant="primary" size="lg" onClick={submit} disabled={create.isPending}>
          Create a workspace
        </Button>
      )}
    </EmptyState>
  )
}
