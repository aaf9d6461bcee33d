import { Rocket } from 'lucide-react'
import { useState } from 'react'
import { useReadOnly } from '../../../canvas/hooks'
import { Button } from '../../../components/button'
import { useEditor } from '../state'
import { PublishDialog } from './publish-dialog'

export function PublishButton() {
  const { workflow } = useEditor()
  const readOnly = useReadOnly()
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button onClick={() => setOpen(true)} disabled={readOnly} data-testid="publish">
        <Rocket className="size-3.5" aria-hidden />
        Publish
      </Button>
      {open && !readOnly && <PublishDialog workflow={workflow} onClose={() => setOpen(false)} />}
    </>
  )
}
