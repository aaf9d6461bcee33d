/** How large a card is, and where its ports are, before it was ever drawn. */
import { type NodeHandle, Position } from '@xyflow/react'
import type { NodeTypeSpec, Port } from '../api/types'

/** A card without a run. */
export const CARD = { width: 220, height: 58 }

const HANDLE = 11
const known = new WeakMap<NodeTypeSpec, NodeHandle[]>()
const NO_HANDLES: NodeHandle[] = []

/** The same list for every node of a type. */
export function handlesOf(spec: NodeTypeSpec | undefined): NodeHandle[] {
  if (!spec) return NO_HANDLES
  const handles = known.get(spec) ?? [...along(spec.inputs, 'target'), ...along(spec.outputs, 'source')]
  known.set(spec, handles)
  return handles
}

function along(ports: readonly Port[], type: 'source' | 'target'): NodeHandle[] {
  return ports.map(({ name }, index) => ({
    id: name,
    type,
    position: type === 'target' ? Position.Left : Position.Right,
    x: (type === 'target' ? 0 : CARD.width) - HANDLE / 2,
    y: (CARD.height * (index + 1)) / (ports.length + 1) - HANDLE / 2,
    width: HANDLE,
    height: HANDLE,
  }))
}
