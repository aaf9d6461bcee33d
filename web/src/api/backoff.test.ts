import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Backoff, LASTED_MS } from './backoff'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

/** The wait without its random part. */
const wait = (backoff: Backoff) => backoff.next(() => 1)

test('[WS-5] the wait grows while connections work for a moment only', () => {
  const backoff = new Backoff()
  const waits = [1, 2, 3, 4].map(() => {
    backoff.works()
    vi.advanceTimersByTime(LASTED_MS / 2)
    return wait(backoff)
  })
  expect(waits).toEqual([250, 500, 1_000, 2_000])
})

test('a connection that lasted is opened again soon', () => {
  const backoff = new Backoff()
  wait(backoff)
  wait(backoff)
  backoff.works()
  vi.advanceTimersByTime(LASTED_MS)
  expect(wait(backoff)).toBe(250)
})

test('one that never worked has not lasted, however long it took', () => {
  const backoff = new Backoff()
  wait(backoff)
  vi.advanceTimersByTime(LASTED_MS)
  expect(wait(backoff)).toBe(500)
})
