import { useReactFlow } from '@xyflow/react'
import type { NodeTypeSpec } from '../../api/types'
import { addNode } from '../../canvas/actions'
import { useCanvas } from '../../canvas/hooks'
import { middleOf } from './viewport'

const GAP = 300

/** Adds a step: right of the selected one and connected to it, or in the middle of what is in view. */
export function useAddNode(): (spec: NodeTypeSpec) => void {
  const session = useCanvas()
  const flow = useReactFlow()
  return (spec) => {
    const { nodes } = session.view.selection()
    const after = nodes.length === 1 ? session.view.nodes().find((node) => node.id === nodes[0]) : undefined
    if (after) {
      addNode(session, spec, { x: after.position.x + GAP, y: after.position.y }, after.id)
      return
    }
    const center = middleOf(flow)
    addNode(session, spec, { x: center.x - 110, y: center.y - 36 })
  }
}
