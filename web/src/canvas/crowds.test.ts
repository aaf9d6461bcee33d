import { expect, test } from 'vitest'
import { CARDS_MAX, Crowds } from './crowds'

const here = { x: 0, y: 0 }
const elsewhere = { x: 5_000, y: 0 }

test('[WEB-7] of cards upon each other so many are drawn, and the next ones when there is room', () => {
  const crowds = new Crowds()
  const drawn = Array.from({ length: CARDS_MAX + 3 }, (_, index) => crowds.put(`${index}`, here))
  expect(drawn.filter(Boolean)).toHaveLength(CARDS_MAX)
  expect(crowds.waiting).toBe(3)

  crowds.remove('0')
  expect(crowds.put('1', elsewhere)).toBe(true)
  expect([...crowds.freed()]).toEqual([`${CARDS_MAX}`, `${CARDS_MAX + 1}`])
  expect([...crowds.freed()]).toEqual([])
  expect(crowds.put(`${CARDS_MAX}`, here)).toBe(true)
  expect(crowds.waiting).toBe(1)

  crowds.remove(`${CARDS_MAX + 2}`)
  expect(crowds.waiting).toBe(0)
  expect(crowds.put('1', here)).toBe(false)
  expect(crowds.waiting).toBe(1)
})
