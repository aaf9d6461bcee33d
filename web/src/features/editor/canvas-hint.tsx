import { Panel } from '@xyflow/react'
import { useFlowNodes, useReadOnly } from '../../canvas/hooks'
import { Kbd } from '../../components/kbd'
import { hintOf } from './keyboard/shortcuts'

/** What to do with an empty canvas; to who may only look, that it is empty. */
export function CanvasHint() {
  const isEmpty = useFlowNodes().length === 0
  const readOnly = useReadOnly()
  if (!isEmpty) return null
  return (
    <Panel position="top-center" className="!top-1/3 pointer-events-none text-center">
      <div className="flex max-w-sm flex-col items-center gap-1.5" data-testid="canvas-empty">
        {readOnly ? <NothingYet /> : <FirstStep />}
      </div>
    </Panel>
  )
}

function NothingYet() {
  return (
    <>
      <p className="font-semibold text-base">No steps yet</p>
      <p className="text-muted">Whoever may edit this workflow adds them; you see each one as it comes.</p>
    </>
  )
}

function FirstStep() {
  return (
    <>
      <p className="font-semibold text-base">Add the first step</p>
      <p className="text-muted">
        Drag “Read file” from the left, then connect the dot on its right to the next step. A step that is missing
        something says so.
      </p>
      <p className="mt-1 flex items-center gap-1 text-faint text-xs">
        <Kbd>{hintOf('search-steps')}</Kbd> search the steps <span className="mx-1">·</span>{' '}
        <Kbd>{hintOf('commands')}</Kbd> all commands
      </p>
    </>
  )
}
