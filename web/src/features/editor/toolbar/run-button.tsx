import { Play, Square } from 'lucide-react'
import { useReadOnly } from '../../../canvas/hooks'
import { Button } from '../../../components/button'
import { useRun } from '../use-run'

export function RunButton() {
  const { live, starting, canceling, start, cancel } = useRun()
  const readOnly = useReadOnly()
  if (live) {
    return (
      <Button
        variant="danger"
        onClick={cancel}
        disabled={canceling || readOnly}
        className="w-20"
        data-testid="cancel-run"
      >
        <Square className="size-3 fill-current" aria-hidden />
        Cancel
      </Button>
    )
  }
  return (
    <Button variant="primary" onClick={start} disabled={starting || readOnly} className="w-20" data-testid="run">
      <Play className="size-3 fill-current" aria-hidden />
      {starting ? 'Starting' : 'Run'}
    </Button>
  )
}
