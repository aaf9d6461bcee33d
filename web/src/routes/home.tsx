import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect } from 'react'
import { workspacesQuery } from '../api/queries'
import { Spinner } from '../components/spinner'
import { Sidebar } from '../features/workflows/sidebar'
import { WorkflowList } from '../features/workflows/workflow-list'
import { WorkspaceEmpty } from '../features/workflows/workspace-empty'
import { Broken } from './broken'

/** The workspaces and the workflows in the chosen one. */
export function HomePage() {
  const { workspace: wanted } = useSearch({ from: '/members/' })
  const navigate = useNavigate()
  const { data, error, refetch } = useQuery(workspacesQuery)
  const workspaces = data?.items ?? []
  const workspace = workspaces.find(({ id }) => id === wanted) ?? workspaces[0]

  useEffect(() => {
    document.title = workspace ? `${workspace.name} · Troupe` : 'Troupe'
  }, [workspace])

  const choose = (id: string) => void navigate({ to: '/', search: { workspace: id } })

  if (error) return <Broken error={error} reset={() => void refetch()} />
  return (
    <div className="flex h-full max-md:flex-col">
      <Sidebar workspaces={workspaces} chosen={workspace?.id} onChoose={choose} />
      <main className="min-h-0 min-w-0 flex-1 overflow-hidden bg-panel">
        {!data ? (
          <Spinner />
        ) : workspace ? (
          <WorkflowList key={workspace.id} workspace={workspace} />
        ) : (
          <WorkspaceEmpty onCreated={choose} />
        )}
      </main>
    </div>
  )
}
