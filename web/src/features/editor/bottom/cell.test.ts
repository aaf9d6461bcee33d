import { expect, test } from 'vitest'
import { cellText, wholeText } from './cell'

test.each([
  [1.2e-8, '1.2e-8'],
  [0.00000031, '3.1e-7'],
  [-0.00000031, '-3.1e-7'],
  [5e-324, '5e-324'],
  [0.000012345678, '0.0000123457'],
  [0, '0'],
  [-0, '0'],
  [0.1 + 0.2, '0.3'],
  [123456.123456789, '123456.123457'],
  [-9.93088901, '-9.930889'],
])('the number %d is shown as %s', (value, text) => {
  expect(cellText(value)).toBe(text)
})

test.each([
  [2 ** 53, '9007199254740992'],
  [1.1898508762506082e19, '1.1898508762506082e+19'],
  [-1e300, '-1e+300'],
])('of the large number %d no digit is made up: %s', (value, text) => {
  expect(cellText(value)).toBe(text)
})

test('what comes as text stays as it is, whole numbers that JavaScript cannot hold among it', () => {
  expect(cellText('-9223372036854775808')).toBe('-9223372036854775808')
  expect(cellText('0.00000000000000000001')).toBe('0.00000000000000000001')
  expect(cellText('NaN')).toBe('NaN')
})

test('lists and structs are JSON', () => {
  expect(cellText([1.2e-8, { a: null }])).toBe('[1.2e-8,{"a":null}]')
})

test('the whole text leaves no digit out', () => {
  expect(wholeText(0.000012345678)).toBe('0.000012345678')
  expect(wholeText(0.1 + 0.2)).toBe('0.30000000000000004')
})
