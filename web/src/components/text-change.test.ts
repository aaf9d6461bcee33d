import { expect, test } from 'vitest'
import { changeBetween, placeAfter } from './text-change'

function applied(text: string, after: string): string {
  const change = changeBetween(text, after)
  return change ? text.slice(0, change.from) + change.insert + text.slice(change.to) : text
}

test('the change between two texts is the least one, and makes one of the other', () => {
  const texts = ['', 'a', 'ab', 'aab', 'abab', 'x ab y', '😀', '😁', 'a😀b', 'a😁b', 'a😀😀b', 'a\ud83d', '\ude00b']
  for (const before of texts) for (const after of texts) expect(applied(before, after)).toBe(after)
  expect(changeBetween('one three', 'one two three')).toEqual({ from: 5, to: 5, insert: 'wo t' })
  expect(changeBetween('same', 'same')).toBeUndefined()
})

test('a character of two units is changed as a whole', () => {
  expect(changeBetween('a😀b', 'a😁b')).toEqual({ from: 1, to: 3, insert: '😁' })
  expect(changeBetween('a\ud83d\ude00b', 'a\ud83c\ude00b')).toEqual({ from: 1, to: 3, insert: '\ud83c\ude00' })
})

test('a caret stays beside the characters that it stood between, and moves behind what is put in at it', () => {
  const change = { from: 2, to: 4, insert: 'xyz' }
  expect([0, 1, 2, 3, 4, 6].map((place) => placeAfter(change, place))).toEqual([0, 1, 5, 5, 5, 7])
  expect(placeAfter({ from: 2, to: 2, insert: 'ab' }, 2)).toBe(4)
})
