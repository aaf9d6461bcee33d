import { expect, test } from 'vitest'
import { distinctNames } from './names'

test('[WEB-1] copies are numbered, each with the next free number', () => {
  const name = distinctNames(['Filter', 'Filter 3', 'Sort'])
  expect(['Filter', 'Filter', 'Filter 3', 'Join', 'Join'].map(name)).toEqual([
    'Filter 2',
    'Filter 4',
    'Filter 5',
    'Join',
    'Join 2',
  ])
})

test('[WEB-1] a number that belongs to the name is kept, and no name stays none', () => {
  const name = distinctNames(['Sales 2024', ''])
  expect(['Sales 2024', ''].map(name)).toEqual(['Sales 2024 2', ''])
})

test('[WEB-1] a numbered name is no longer than a name may be', () => {
  const long = 'x'.repeat(200)
  expect(distinctNames([long])(long)).toBe(`${'x'.repeat(198)} 2`)
})

test('[WEB-1] ten thousand copies of one step are named at once', () => {
  const name = distinctNames(['Filter'])
  const names = new Set(Array.from({ length: 10_000 }, () => name('Filter')))
  expect(names.size).toBe(10_000)
  expect(names).toContain('Filter 10001')
})
