import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { type Aspect, Presence } from './presence'

const OTHERS = 49

let presence: Presence
let others: Awareness[]
let told: Aspect[]

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('requestAnimationFrame', (run: () => void) => setTimeout(run, 16))
  vi.stubGlobal('cancelAnimationFrame', clearTimeout)
  presence = new Presence(new Awareness(new Y.Doc()), { id: 'me', name: 'Me', color: '#000000' })
  others = Array.from({ length: OTHERS }, (_, index) => {
    const awareness = new Awareness(new Y.Doc())
    awareness.setLocalState({ user: { id: `${index}`, name: `Person ${index}`, color: '#ff0000' }, selection: [] })
    return awareness
  })
  told = []
  for (const aspect of ['people', 'cursor', 'selection', 'field', 'drag', 'caret'] as const) {
    presence.subscribe(aspect, () => told.push(aspect))
  }
})

afterEach(() => {
  for (const each of [presence.awareness, ...others]) each.destroy()
  presence.destroy()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** Somebody else moves the pointer, as it arrives. */
function moves(awareness: Awareness, x: number): void {
  awareness.setLocalStateField('cursor', { x, y: 0 })
  applyAwarenessUpdate(presence.awareness, encodeAwarenessUpdate(awareness, [awareness.clientID]), 'remote')
}

function nextFrame(): void {
  told = []
  vi.advanceTimersByTime(16)
}

test('[WEB-2] what fifty people do within a frame is told once, and only what changed', () => {
  for (const other of others) moves(other, 0)
  nextFrame()
  expect(presence.others()).toHaveLength(OTHERS)

  for (let step = 1; step <= 10; step++) for (const other of others) moves(other, step)
  nextFrame()
  expect(told).toEqual(['cursor'])
  expect(presence.others().map(({ cursor }) => cursor?.x)).toEqual(others.map(() => 10))
})

test('[WEB-2] who stays where they are is the same object', () => {
  for (const other of others) moves(other, 0)
  nextFrame()
  const before = presence.others()
  for (const other of others.slice(0, 3)) moves(other, 1)
  for (const other of others.slice(3)) moves(other, 0)
  nextFrame()
  expect(presence.others().filter((other, index) => other.cursor !== before[index]?.cursor)).toHaveLength(3)
  nextFrame()
  expect(told).toEqual([])
})
