import { useState } from 'react'
import type { Role } from '../../api/types'
import { Dialog } from '../../components/dialog'
import { Field, Input } from '../../components/field'
import { notify } from '../../components/toast'
import { RoleSelect } from './role-select'
import { useAddPerson } from './use-people'

const EMPTY: Record<'name' | 'email' | 'password', string> & { role: Role } = {
  name: '',
  email: '',
  password: '',
  role: 'member',
}
const FIELDS = [
  { key: 'name', label: 'Name', type: 'text', hint: undefined },
  { key: 'email', label: 'Email', type: 'email', hint: undefined },
  { key: 'password', label: 'Password', type: 'password', hint: 'At least 8 characters. Hand it over to the person.' },
] as const

/** An owner gives a person access to everything in the tenant. */
export function AddPerson({ onClose }: { onClose: () => void }) {
  const [person, setPerson] = useState(EMPTY)
  const add = useAddPerson()
  const submit = () =>
    add.mutate(person, {
      onSuccess: (added) => {
        notify({ kind: 'info', text: `${added.name} can sign in now` })
        onClose()
      },
    })
  return (
    <Dialog
      open
      title="Add a person"
      action="Add"
      busy={add.isPending}
      onSubmit={submit}
      onClose={onClose}
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
      <Field label="Role">
        {({ id }) => (
          <RoleSelect
            id={id}
            value={person.role}
            onChange={(role) => setPerson({ ...person, role })}
            testId="person-role"
          />
        )}
      </Field>
    </Dialog>
  )
}
