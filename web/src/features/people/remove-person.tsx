import type { User } from '../../api/types'
import { Dialog } from '../../components/dialog'
import { useRemovePerson } from './use-people'

export function RemovePerson({ person, onClose }: { person: User; onClose: () => void }) {
  const remove = useRemovePerson()
  return (
    <Dialog
      open
      danger
      title={`Remove ${person.name}?`}
      description="They are signed out everywhere, at once. What they made stays, under their name."
      action="Remove"
      busy={remove.isPending}
      onSubmit={() => remove.mutate(person.id, { onSuccess: onClose })}
      onClose={onClose}
      testId="remove-person-dialog"
    />
  )
}
