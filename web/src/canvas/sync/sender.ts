/**
 * What goes out over one line, in its order. A large frame goes in parts, and only as fast as the line takes them, so
 * that what says where this person is goes between them.
 */
import * as wire from './wire'

/** A frame above this goes in parts of this size: the server takes a message of 32 KiB without lending memory for it. */
export const PART_BYTES = 31 * 1024
/** More is not handed to the line before it has taken what it has. */
const WAITING_BYTES_MAX = 512 * 1024
/** A line does not say when it has room. */
const LOOK_AGAIN_MS = 5

export interface Line {
  send: (frame: Uint8Array) => void
  waitingBytes: () => number
}

export class Sender {
  readonly #line: Line
  #queue: Uint8Array[] = []
  /** Of the first of the queue. */
  #sentBytes = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(line: Line) {
    this.#line = line
  }

  /** After everything that was sent before. */
  send(frame: Uint8Array): void {
    if (this.#queue.length === 0 && frame.length <= PART_BYTES) this.#line.send(frame)
    else {
      this.#queue.push(frame)
      if (this.#timer === undefined) this.#pump()
    }
  }

  /** Between the parts of what is under way: for what is not part of the document. */
  sendBetween(frame: Uint8Array): void {
    this.#line.send(frame)
  }

  /** The line is gone, and what was under way with it. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#queue = []
    this.#sentBytes = 0
  }

  readonly #pump = () => {
    this.#timer = undefined
    let frame = this.#queue[0]
    while (frame && this.#line.waitingBytes() < WAITING_BYTES_MAX) {
      this.#sendOf(frame)
      frame = this.#queue[0]
    }
    if (frame) this.#timer = setTimeout(this.#pump, LOOK_AGAIN_MS)
  }

  #sendOf(frame: Uint8Array): void {
    const part = frame.subarray(this.#sentBytes, this.#sentBytes + PART_BYTES)
    this.#sentBytes += part.length
    const remaining = frame.length - this.#sentBytes
    this.#line.send(part.length === frame.length ? frame : wire.part(part, remaining))
    if (remaining === 0) {
      this.#queue.shift()
      this.#sentBytes = 0
    }
  }
}
