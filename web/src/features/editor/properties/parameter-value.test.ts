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
  ['3266119658877827603', '3266119658877827603'],
  ['1e300', 1e300],
])('%s is read as it looks, and shown so that it reads back', (text, value) => {
  expect(parsedValue(text)).toEqual(value)
  expect(parsedValue(shownValue(value))).toEqual(value)
})
