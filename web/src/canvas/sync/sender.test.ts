import * as decoding from 'lib0/decoding'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { PART_BYTES, Sender } from './sender'

class Line {
  sent: Uint8Array[] = []
  waiting = 0
  send = (frame: Uint8Array) => {
    this.sent.push(frame)
    this.waiting += frame.length
  }
  waitingBytes = () => this.waiting
}

/** What the server puts together: frames, and the wholes of parts. */
function received(frames: Uint8Array[]): Buffer[] {
  const wholes: Buffer[] = []
  let parts: Uint8Array[] = []
  for (const frame of frames) {
    const decoder = decoding.createDecoder(frame)
    if (decoding.readVarUint(decoder) !== 102) {
      wholes.push(Buffer.from(frame))
      continue
    }
    const remaining = decoding.readVarUint(decoder)
    parts.push(decoding.readVarUint8Array(decoder))
    if (remaining === 0) {
      wholes.push(Buffer.concat(parts))
      parts = []
    }
  }
  return wholes
}

function large(size: number, first: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => (index === 0 ? first : index % 251))
}

describe('Sender', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('[SYNC-18] sends what is large in parts, as fast as the line takes them, and in order', () => {
    const line = new Line()
    const sender = new Sender(line)
    const [one, two, three] = [large(40 * PART_BYTES + 7, 0), large(10, 1), large(2 * PART_BYTES, 2)]
    for (const frame of [one, two, three]) sender.send(frame)
    expect(line.sent.length).toBeLessThan(20)
    sender.sendBetween(Uint8Array.of(1, 1, 0))
    for (let turn = 0; turn < 20; turn++) {
      line.waiting = 0
      vi.advanceTimersByTime(20)
    }
    expect(line.sent.every((frame) => frame.length <= PART_BYTES + 16)).toBe(true)
    const wholes = received(line.sent)
    const expected = [Uint8Array.of(1, 1, 0), one, two, three]
    expect(wholes.map((whole, index) => whole.equals(expected[index] ?? new Uint8Array()))).toEqual(
      expected.map(() => true),
    )
  })

  it('[SYNC-18] forgets what was under way when the line is gone', () => {
    const line = new Line()
    const sender = new Sender(line)
    sender.send(large(40 * PART_BYTES, 0))
    sender.clear()
    line.sent = []
    line.waiting = 0
    sender.send(large(10, 1))
    vi.advanceTimersByTime(1_000)
    expect(received(line.sent)).toEqual([Buffer.from(large(10, 1))])
  })
})
