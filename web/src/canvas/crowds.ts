/**
 * How many cards are drawn at one place of the canvas. Steps that lie upon each other by the thousand, as somebody may
 * write them, would all be in view at once and stop the page.
 */
import type { Point } from './diagram'

/** A place holds 28 cards beside each other. */
const PLACE = { width: 1_000, height: 500 }
export const CARDS_MAX = 60

interface Place {
  drawn: Set<string>
  waiting: Set<string>
}

export class Crowds {
  readonly #places = new Map<string, Place>()
  readonly #placeOf = new Map<string, string>()
  #freed = new Set<string>()
  #waiting = 0

  /** How many cards wait for room. */
  get waiting(): number {
    return this.#waiting
  }

  /** Puts a card somewhere. Whether it is drawn there. */
  put(id: string, { x, y }: Point): boolean {
    const key = `${Math.floor(x / PLACE.width)} ${Math.floor(y / PLACE.height)}`
    if (this.#placeOf.get(id) !== key) {
      this.remove(id)
      this.#placeOf.set(id, key)
      const place = this.#places.get(key) ?? { drawn: new Set(), waiting: new Set() }
      this.#places.set(key, place)
      if (place.drawn.size < CARDS_MAX) place.drawn.add(id)
      else this.#wait(place, id)
    }
    return this.#places.get(key)?.drawn.has(id) ?? true
  }

  remove(id: string): void {
    const key = this.#placeOf.get(id)
    const place = key === undefined ? undefined : this.#places.get(key)
    if (key === undefined || !place) return
    this.#placeOf.delete(id)
    if (place.waiting.delete(id)) this.#waiting--
    if (place.drawn.delete(id)) this.#promote(place)
    if (place.drawn.size === 0) this.#places.delete(key)
  }

  /** The cards for which there is room since this was last asked. */
  freed(): Iterable<string> {
    const freed = this.#freed
    this.#freed = new Set()
    return freed
  }

  #wait(place: Place, id: string): void {
    place.waiting.add(id)
    this.#waiting++
  }

  #promote(place: Place): void {
    const [next] = place.waiting
    if (next === undefined) return
    place.waiting.delete(next)
    this.#waiting--
    place.drawn.add(next)
    this.#freed.add(next)
  }
}
