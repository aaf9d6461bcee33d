import { expect, test } from 'vitest'
import { parsedValue, shownValue } from './parameter-value'

test.each([
  ['2013', 2013],
  ['true', true],
  ['JFK', 'JFK'],
  ['', ''],
  ['"2013"', '2013'],
  ['[1,2]', [1, 2]],
  ['null', null],
])('%s is read as it looks, and shown so that it reads back', (text, value) => {
  expect(parsedValue(text)).toEqual(value)
  expect(parsedValue(shownValue(value))).toEqual(value)
})
