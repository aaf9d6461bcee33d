import { Users } from 'lucide-react'
import { useState } from 'react'
import { IconButton } from '../../components/button'
import { PeopleDialog } from './people-dialog'

export function PeopleButton({ me }: { me: string }) {
  const [open, setOpen] = useState(false)
  return (
    <>
      <IconButton label="People" onClick={() => setOpen(true)} data-testid="people-button">
        <Users className="size-4" />
      </IconButton>
      {open && <PeopleDialog me={me} onClose={() => setOpen(false)} />}
    </>
  )
}
