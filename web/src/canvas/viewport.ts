/** How much of the canvas is looked at, and how closely. */
import type { ReactFlowState } from '@xyflow/react'

export const FIT = { padding: 0.06, maxZoom: 1.1 }

/** Below this, a card shows its name alone, larger. */
export const FAR_ZOOM = 0.6

/** Whether some node is out of view, so that a map helps. */
export function overflows({ nodeLookup, transform, width, height }: ReactFlowState): boolean {
  const [left, top, zoom] = transform
  for (const { internals, measured } of nodeLookup.values()) {
    const x = internals.positionAbsolute.x * zoom + left
    const y = internals.positionAbsolute.y * zoom + top
    if (x < 0 || y < 0 || x + (measured.width ?? 0) * zoom > width || y + (measured.height ?? 0) * zoom > height) {
      return true
    }
  }
  return false
}
