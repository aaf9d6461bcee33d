import { useState } from 'react'
import { Dialog } from '../../components/dialog'
import { Field, Input } from '../../components/field'

interface NameDialogProps {
  title: string
  action: string
  initial?: string
  busy?: boolean
  onSubmit: (name: string) => void
  onClose: () => void
}

export function NameDialog({ title, action, initial = '', busy, onSubmit, onClose }: NameDialogProps) {
  const [name, setName] = useState(initial)
  const submit = () => name.trim() && onSubmit(name.trim())
  return (
    <Dialog
      open
      title={title}
      action={action}
      busy={busy ?? false}
      onSubmit={submit}
      onClose={onClose}
      testId="name-dialog"
    >
      <Field label="Name">
        {(ids) => (
          <Input
            {...ids}
            autoFocus
            required
            maxLength={200}
            value={name}
            onFocus={(event) => event.target.select()}
            onChange={(event) => setName(event.target.value)}
            data-testid="name-input"
          />
        )}
      </Field>
    </Dialog>
  )
}
