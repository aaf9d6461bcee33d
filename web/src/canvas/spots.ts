/** Where cards lie, asked by place: finding a free spot among thousands looks at the neighbours only. */
import { CARD } from './card'
import type { Point } from './diagram'

/** Room that a card takes. */
const ROOM = { width: CARD.width + 16, height: CARD.height + 30 }
/** A copy that is this near hides what it is a copy of. */
const NEAR = { width: 24, height: 24 }
/** A spot that is not found after this many steps is taken as it is. */
const STEPS_MAX = 1_000

type Size = typeof ROOM

export class Spots {
  readonly #cells = new Map<string, Point[]>()

  constructor(cards: readonly { position: Point }[]) {
    for (const { position } of cards) {
      const key = keyOf(cell(position.x, ROOM.width), cell(position.y, ROOM.height))
      const held = this.#cells.get(key)
      if (held) held.push(position)
      else this.#cells.set(key, [position])
    }
  }

  /** The wanted spot, or the first one below it at which no card touches another. */
  free(wanted: Point): Point {
    return this.#first(wanted, { x: 0, y: ROOM.height }, (spot) => this.#isTaken(spot, ROOM))
  }

  /** How far to move cards that are wanted there, so that none of them hides another. */
  shifted(cards: readonly { position: Point }[], wanted: Point): Point {
    const hides = (offset: Point) =>
      cards.some(({ position }) => this.#isTaken({ x: position.x + offset.x, y: position.y + offset.y }, NEAR))
    return this.#first(wanted, { x: 32, y: 32 }, hides)
  }

  #first(wanted: Point, step: Point, isTaken: (spot: Point) => boolean): Point {
    let spot = wanted
    for (let steps = 0; steps < STEPS_MAX && isTaken(spot); steps++) spot = { x: spot.x + step.x, y: spot.y + step.y }
    return spot
  }

  #isTaken({ x, y }: Point, near: Size): boolean {
    const [column, row] = [cell(x, ROOM.width), cell(y, ROOM.height)]
    for (const dx of [-1, 0, 1]) {
      for (const dy of [-1, 0, 1]) {
        const held = this.#cells.get(keyOf(column + dx, row + dy)) ?? []
        if (held.some((at) => Math.abs(at.x - x) < near.width && Math.abs(at.y - y) < near.height)) return true
      }
    }
    return false
  }
}

function cell(at: number, size: number): number {
  return Math.floor(at / size)
}

function keyOf(column: number, row: number): string {
  return `${column} ${row}`
}
