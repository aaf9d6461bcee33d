import { useReactFlow } from '@xyflow/react'
import { useCanvas } from '../../canvas/hooks'

/** Selects a node and brings it into view. */
export function useGoTo(): (node: string) => void {
  const { view } = useCanvas()
  const { fitView, getZoom } = useReactFlow()
  return (node) => {
    view.select([node])
    void fitView({ nodes: [{ id: node }], duration: 250, maxZoom: Math.max(getZoom(), 0.8), minZoom: 0.5 })
  }
}
