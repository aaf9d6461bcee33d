import { useState } from 'react'
import type { Version } from '../../../api/types'
import { useOverlay } from '../../../canvas/hooks'
import { Dialog } from '../../../components/dialog'
import { Field, Textarea } from '../../../components/field'
import { formatAgo } from '../../../components/format'
import { ChangeList } from './change-list'
import { usePublish } from './use-publish'

/** Shows what would be published and by whom it was made, and publishes it with a note. */
export function PublishDialog({ workflow, onClose }: { workflow: string; onClose: () => void }) {
  const { changes, published, publish } = usePublish(workflow, onClose)
  const [note, setNote] = useState('')
  const errors = useOverlay((state) => state.diagnostics).filter(({ severity }) => severity === 'error').length
  const { items = [], total } = changes.data ?? {}

  return (
    <Dialog
      open
      title={`Publish version ${(published?.number ?? 0) + 1}`}
      description={since(published)}
      action="Publish"
      busy={!changes.data || publish.isPending}
      onSubmit={() => publish.mutate(note)}
      onClose={onClose}
      testId="publish-dialog"
    >
      {changes.isError && <p className="text-danger text-sm">{changes.error.message}</p>}
      {changes.data &&
        (items.length > 0 ? (
          <ChangeList changes={items} more={(total ?? items.length) - items.length} />
        ) : (
          <p className="text-faint text-sm">No step was changed since then.</p>
        ))}
      {errors > 0 && (
        <p className="rounded-md bg-warn-soft px-2.5 py-1.5 text-warn text-xs" data-testid="publish-problems">
          {errors === 1 ? 'A problem keeps' : `${errors} problems keep`} it from running. You can publish it all the
          same.
        </p>
      )}
      <Field label="Note">
        {(ids) => (
          <Textarea
            {...ids}
            rows={2}
            maxLength={10_000}
            placeholder="What is new in this version"
            value={note}
            onChange={(event) => setNote(event.target.value)}
            data-testid="publish-note"
          />
        )}
      </Field>
    </Dialog>
  )
}

function since(published: Version | undefined): string {
  if (!published) return 'Everything that was changed up to now. No version is published yet.'
  const { number, created_by, created_at } = published
  return `What was changed since version ${number}, which ${created_by.name ?? 'somebody'} published ${formatAgo(created_at)}.`
}
