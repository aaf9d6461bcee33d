import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { lastChangeQuery } from '../../../api/queries'
import { useNodeChanges } from '../../../canvas/hooks'
import { formatAgo, formatDateTime } from '../../../components/format'
import { useEditor } from '../state'

/** After a change the answer is asked for again, once typing has paused. */
const SETTLED_MS = 1_000

/** Who last changed this step, and when. */
export function LastChange({ node }: { node: string }) {
  const { workflow } = useEditor()
  const client = useQueryClient()
  const changes = useNodeChanges(node)
  const { queryKey } = lastChangeQuery(workflow, node)
  const { data } = useQuery(lastChangeQuery(workflow, node))
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever the step is another than it was
  useEffect(() => {
    const timer = setTimeout(() => void client.invalidateQueries({ queryKey }), SETTLED_MS)
    return () => clearTimeout(timer)
  }, [client, workflow, node, changes])

  if (!data) return null
  return (
    <p className="text-faint text-xs" data-testid="last-change">
      Changed by {data.by.name ?? 'somebody'} <time title={formatDateTime(data.at)}>{formatAgo(data.at)}</time>
    </p>
  )
}
