import { workflows } from '../../api/operations'
import { useProvider } from '../../canvas/hooks'
import { Button } from '../../components/button'
import { notifyError } from '../../components/toast'
import { downloadWorkflow } from '../workflows/download'
import { useEditor } from './state'

const EPOCH_CHANGED = 4409
const GONE = 4404
const HELD_BACK = 4423

/** Why the canvas is no longer live, when the server closed it for good. */
export function Ended() {
  const ended = useProvider((state) => state.ended)
  const reason = useProvider((state) => state.reason)
  const { workflow } = useEditor()
  if (ended === null) return null
  return (
    <div
      role="alert"
      data-testid="ended"
      className="flex items-center gap-3 border-b bg-danger-soft px-4 py-2 text-danger"
    >
      <p className="flex-1">
        {ended === GONE ? 'This workflow is gone.' : sentence(reason ?? '')} Edits made from now on are not kept.
      </p>
      {ended === HELD_BACK && <Button onClick={() => void downloadWorkflow(workflow)}>Download the workflow</Button>}
      {ended === GONE ? (
        <Button onClick={() => location.assign('/')}>Back to your workflows</Button>
      ) : (
        <Button onClick={() => void openAgain(ended, workflow)}>
          {ended === EPOCH_CHANGED ? 'Reload' : 'Try again'}
        </Button>
      )}
    </div>
  )
}

async function openAgain(ended: number, workflow: string): Promise<void> {
  try {
    if (ended === HELD_BACK) await workflows.tryAgain(workflow)
    location.reload()
  } catch (error) {
    notifyError(error)
  }
}

/** What the server says begins small and ends without a stop. */
function sentence(reason: string): string {
  const stop = /[.!?]$/.test(reason) ? '' : '.'
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}${stop}`
}
