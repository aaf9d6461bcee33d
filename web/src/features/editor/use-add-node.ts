import { useReactFlow } from '@xyflow/react'
import type { NodeTypeSpec } from '../../api/types'
import { addNode } from '../../canvas/actions'
import { useCanvas } from '../../canvas/hooks'
import { useEditor } from './state'
import { useUncover } from './use-uncover'
import { isInView, middleOf } from './viewport'

const GAP = 280

/** Adds a step and shows it: right of the selected one and connected to it, or in the middle of what is in view. */
export function useAddNode(): (spec: NodeTypeSpec) => void {
  const session = useCanvas()
  const flow = useReactFlow()
  const { store, keyboard } = useEditor()
  const uncover = useUncover(store)
  return (spec) => {
    // Who adds a step goes on with that step.
    keyboard.give('canvas')
    const { nodes } = session.view.selection()
    const after = nodes.length === 1 ? session.view.nodes().find((node) => node.id === nodes[0]) : undefined
    if (after) {
      reveal(addNode(session, spec, { x: after.position.x + GAP, y: after.position.y }, after.id))
      return
    }
    const center = middleOf(flow)
    reveal(addNode(session, spec, { x: center.x - 110, y: center.y - 36 }))
  }
  function reveal(id: string | undefined) {
    if (id === undefined) return
    uncover(id)
    const node = session.view.nodes().find((added) => added.id === id)
    if (!node || isInView(flow, node.position)) return
    void flow.setCenter(node.position.x, node.position.y, { zoom: flow.getZoom(), duration: 250 })
  }
}
