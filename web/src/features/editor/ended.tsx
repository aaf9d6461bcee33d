import { useProvider } from '../../canvas/hooks'
import { Button } from '../../components/button'

const EPOCH_CHANGED = 4409
const GONE = 4404

/** Why the canvas is no longer live, when the server closed it for good. */
export function Ended() {
  const ended = useProvider((state) => state.ended)
  const reason = useProvider((state) => state.reason)
  if (ended === null) return null
  return (
    <div
      role="alert"
      data-testid="ended"
      className="flex items-center gap-3 border-b bg-danger-soft px-4 py-2 text-danger"
    >
      <p className="flex-1">
        {ended === GONE ? 'This workflow is gone.' : reason} Edits made from now on are not kept.
      </p>
      {ended === GONE ? (
        <Button onClick={() => location.assign('/')}>Back to your workflows</Button>
      ) : (
        <Button onClick={() => location.reload()}>{ended === EPOCH_CHANGED ? 'Reload' : 'Try again'}</Button>
      )}
    </div>
  )
}
