import { LogOut } from 'lucide-react'
import { useState } from 'react'
import { signOut } from '../../api/session'
import { IconButton } from '../../components/button'
import { Dialog } from '../../components/dialog'
import { unsavedWorkflows } from '../../offline/database'

/** Signs out; asks first when this device has changes that the server has not, because they go with it. */
export function SignOut({ user }: { user: string }) {
  const [unsaved, setUnsaved] = useState(0)
  async function ask() {
    const { size } = await unsavedWorkflows(user)
    if (size === 0) await signOut()
    else setUnsaved(size)
  }
  return (
    <>
      <IconButton label="Sign out" onClick={() => void ask()} data-testid="sign-out">
        <LogOut className="size-4" />
      </IconButton>
      <Dialog
        open={unsaved > 0}
        danger
        title="Sign out and lose changes?"
        description={`${unsaved === 1 ? 'One workflow has' : `${unsaved} workflows have`} changes that are only on this device. Open ${unsaved === 1 ? 'it' : 'them'} with a connection to save the changes; signing out takes everything off this device.`}
        action="Sign out"
        busy={false}
        onSubmit={() => void signOut()}
        onClose={() => setUnsaved(0)}
      />
    </>
  )
}
