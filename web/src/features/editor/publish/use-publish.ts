/** What would be published, who made it, and publishing it. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { versions } from '../../../api/operations'
import { Problem } from '../../../api/problem'
import { changesQuery, versionsQuery } from '../../../api/queries'
import { notify, notifyError } from '../../../components/toast'

export function usePublish(workflow: string, onPublished: () => void) {
  const client = useQueryClient()
  const changes = useQuery(changesQuery(workflow))
  const published = useQuery(versionsQuery(workflow)).data?.items[0]
  const publish = useMutation({
    mutationFn: (note: string) => versions.publish(workflow, changes.data?.revision ?? '', note),
    onSuccess: (version) => {
      notify({ kind: 'info', text: `Version ${version.number} is published` })
      onPublished()
    },
    onError: (error) => {
      if (error instanceof Problem && error.status === 412) {
        notify({ kind: 'info', text: 'Somebody changed the workflow meanwhile. Look at the changes again.' })
      } else {
        notifyError(error)
      }
    },
    onSettled: () =>
      Promise.all(
        [changesQuery(workflow), versionsQuery(workflow)].map(({ queryKey }) => client.invalidateQueries({ queryKey })),
      ),
  })
  return { changes, published, publish }
}
