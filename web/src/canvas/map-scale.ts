/** How a canvas fits into its small map. */
import { CARD } from './card'
import type { Point } from './diagram'

export interface Size {
  width: number
  height: number
}

export interface Box {
  left: number
  top: number
  right: number
  bottom: number
}

export interface Placed {
  position: Point
  measured?: { width?: number; height?: number } | undefined
}

/** Free around what is on the map, in its pixels. */
const MARGIN = 5

export function boxOf({ position: { x, y }, measured }: Placed): Box {
  return { left: x, top: y, right: x + (measured?.width ?? CARD.width), bottom: y + (measured?.height ?? CARD.height) }
}

/** The least box around all of them; there is one at least. */
export function boxAround(first: Box, others: Iterable<Box>): Box {
  const all = { ...first }
  for (const { left, top, right, bottom } of others) {
    all.left = Math.min(all.left, left)
    all.top = Math.min(all.top, top)
    all.right = Math.max(all.right, right)
    all.bottom = Math.max(all.bottom, bottom)
  }
  return all
}

/** What a viewport shows of the canvas. */
export function viewBox([x, y, zoom]: readonly [number, number, number], { width, height }: Size): Box {
  return { left: -x / zoom, top: -y / zoom, right: (width - x) / zoom, bottom: (height - y) / zoom }
}

export class MapScale {
  readonly #scale: number
  readonly #origin: Point

  /** A whole box in the middle of a map. */
  constructor({ left, top, right, bottom }: Box, { width, height }: Size) {
    const [wide, high] = [Math.max(1, right - left), Math.max(1, bottom - top)]
    this.#scale = Math.min((width - 2 * MARGIN) / wide, (height - 2 * MARGIN) / high)
    this.#origin = {
      x: (left + right) / 2 - width / 2 / this.#scale,
      y: (top + bottom) / 2 - height / 2 / this.#scale,
    }
  }

  toMap({ left, top, right, bottom }: Box): Point & Size {
    const { x, y } = this.#origin
    return {
      x: (left - x) * this.#scale,
      y: (top - y) * this.#scale,
      width: (right - left) * this.#scale,
      height: (bottom - top) * this.#scale,
    }
  }

  toCanvas({ x, y }: Point): Point {
    return { x: x / this.#scale + this.#origin.x, y: y / this.#scale + this.#origin.y }
  }
}
