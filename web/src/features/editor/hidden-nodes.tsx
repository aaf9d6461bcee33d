import { Panel } from '@xyflow/react'
import { CARDS_MAX } from '../../canvas/crowds'
import { useHiddenNodes } from '../../canvas/hooks'
import { NODES_MAX } from '../../canvas/view'
import { formatCount } from '../../components/format'

/** Says that, and why, not every step is drawn. */
export function HiddenNodes() {
  const hidden = useHiddenNodes()
  if (hidden === 0) return null
  return (
    <Panel position="top-center" className="max-w-[calc(100%-1rem)]">
      <p
        role="status"
        data-testid="hidden-nodes"
        className="rounded-md border border-line bg-warn-soft px-3 py-1.5 text-warn text-xs shadow-card"
      >
        {formatCount(hidden)} steps are not shown: a workflow holds {formatCount(NODES_MAX)}, and one place of the
        canvas {CARDS_MAX}. Delete some or move them apart, and the others appear.
      </p>
    </Panel>
  )
}
