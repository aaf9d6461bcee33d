import { expect, test } from 'vitest'
import { pagesOf } from './pages'

test('the pages in view and the next one', () => {
  expect(pagesOf(0, 20, 1000, 200)).toEqual([0, 1])
  expect(pagesOf(190, 210, 1000, 200)).toEqual([0, 1, 2])
  expect(pagesOf(980, 999, 1000, 200)).toEqual([4])
  expect(pagesOf(0, 15, 16, 200)).toEqual([0])
  expect(pagesOf(0, 0, 0, 200)).toEqual([0])
})
