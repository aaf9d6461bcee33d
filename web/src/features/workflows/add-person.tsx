import { UserPlus } from 'lucide-react'
import { useState } from 'react'
import { IconButton } from '../../components/button'
import { Dialog } from '../../components/dialog'
import { Field, Input } from '../../components/field'
import { notify } from '../../components/toast'
import { useAddPerson } from './use-mutations'

const EMPTY = { name: '', email: '', password: '' }
const FIELDS = [
  { key: 'name', label: 'Name', type: 'text', hint: undefined },
  { key: 'email', label: 'Email', type: 'email', hint: undefined },
  { key: 'password', label: 'Password', type: 'password', hint: 'At least 8 characters. Hand it over to the person.' },
] as const

/** An owner gives a person access to everything in the tenant. */
export function AddPerson() {
  const [open, setOpen] = useState(false)
  const [person, setPerson] = useState(EMPTY)
  const add = useAddPerson()
  const close = () => {
    setOpen(false)
    setPerson(EMPTY)
  }
  const submit = () =>
    add.mutate(
      { ...person, role: 'member' },
      {
        onSuccess: (added) => {
          notify({ kind: 'info', text: `${added.name} can sign in now` })
          close()
        },
      },
    )
  return (
    <>
      <IconButton label="Add a person" onClick={() => setOpen(true)} data-testid="add-person">
        <UserPlus className="size-4" />
      </IconButton>
      {open && (
        <Dialog
          open
          title="Add a person"
          description="They can edit and run everything here."
          action="Add"
          busy={add.isPending}
          onSubmit={submit}
          onClose={close}
          testId="add-person-dialog"
        >
          {FIELDS.map(({ key, label, type, hint }) => (
            <Field key={key} label={label} hint={hint}>
              {(ids) => (
                <Input
                  {...ids}
                  required
                  type={type}
                  minLength={key === 'password' ? 8 : 1}
                  maxLength={200}
                  autoComplete={key === 'password' ? 'new-password' : 'off'}
                  value={person[key]}
                  onChange={(event) => setPerson({ ...person, [key]: event.target.value })}
                  data-testid={`person-${key}`}
                />
              )}
            </Field>
          ))}
        </Dialog>
      )}
    </>
  )
}
