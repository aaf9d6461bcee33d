import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { nodeTypesQuery, workflowQuery } from '../api/queries'
import { Spinner } from '../components/spinner'
import { Editor } from '../features/editor/editor'
import { Broken } from './broken'

/** The editor of one workflow. */
export function WorkflowPage() {
  const { workflow: id } = useParams({ from: '/members/workflows/$workflow' })
  const workflow = useQuery(workflowQuery(id))
  const nodeTypes = useQuery(nodeTypesQuery)
  const failed = workflow.error ? workflow : nodeTypes.error ? nodeTypes : undefined

  if (failed?.error) return <Broken error={failed.error} reset={() => void failed.refetch()} />
  if (!workflow.data || !nodeTypes.data) return <Spinner label="Opening…" />
  return <Editor key={id} workflow={workflow.data} nodeTypes={nodeTypes.data.items} />
}
