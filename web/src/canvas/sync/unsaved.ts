/**
 * What was edited here and is in no server's store yet, by place.
 *
 * Each entry knows the frame that carries it, so that an acknowledgement takes away what it covers and nothing else.
 */
import type * as Y from 'yjs'
import { isLocal, type Path, type Touch, touchesOf } from './touches'

interface Entry extends Touch {
  /** Of the present connection; `null`: no frame carries it yet. */
  frame: number | null
}

export class Unsaved {
  readonly #doc: Y.Doc
  readonly #touchedBy = new WeakMap<Y.Transaction, readonly Touch[]>()
  /** By frame and place, oldest first. */
  #entries = new Map<string, Entry>()
  #places: Map<string, Touch> | undefined

  constructor(doc: Y.Doc) {
    this.#doc = doc
    doc.on('afterTransaction', this.#onTransaction)
  }

  destroy(): void {
    this.#doc.off('afterTransaction', this.#onTransaction)
  }

  /** The places that an edit made here has touched. */
  touchedBy(transaction: Y.Transaction): readonly Touch[] {
    return this.#touchedBy.get(transaction) ?? []
  }

  /** How many places are edited and not saved. */
  get size(): number {
    return this.#byPlace().size
  }

  /** Each place once, a text with what it was before the first edit that is not saved. */
  touches(): Touch[] {
    return [...this.#byPlace().values()]
  }

  add(touches: readonly Touch[], frame: number | null): void {
    for (const touch of touches) this.#add({ ...touch, frame })
    this.#places = undefined
  }

  /** From here on one frame carries everything. */
  carriedBy(frame: number): void {
    this.#regroup(frame)
  }

  /** The connection is gone, and its frames with it. */
  uncarried(): void {
    this.#regroup(null)
  }

  /** Another document has taken it over. */
  clear(): void {
    this.#entries.clear()
    this.#places = undefined
  }

  acknowledged(frames: number): void {
    for (const [key, { frame }] of this.#entries) if (frame !== null && frame <= frames) this.#entries.delete(key)
    this.#places = undefined
  }

  #add(entry: Entry): void {
    const covered = entry.path.some((_, depth) => this.#entries.has(keyOf(entry.path.slice(0, depth + 1), entry.frame)))
    if (!covered) this.#entries.set(keyOf(entry.path, entry.frame), entry)
  }

  #regroup(frame: number | null): void {
    const entries = [...this.#entries.values()]
    this.#entries.clear()
    this.add(entries, frame)
  }

  #byPlace(): Map<string, Touch> {
    if (!this.#places) {
      this.#places = new Map()
      for (const { frame: _, ...touch } of this.#entries.values()) {
        const place = keyOf(touch.path, null)
        if (!this.#places.has(place)) this.#places.set(place, touch)
      }
    }
    return this.#places
  }

  readonly #onTransaction = (transaction: Y.Transaction) => {
    if (isLocal(transaction)) this.#touchedBy.set(transaction, touchesOf(transaction))
  }
}

function keyOf(path: Path, frame: number | null): string {
  return JSON.stringify([frame, ...path])
}
