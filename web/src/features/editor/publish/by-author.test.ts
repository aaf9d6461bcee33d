import { expect, test } from 'vitest'
import type { Change } from '../../../api/types'
import { byAuthor, nameOf } from './by-author'

const change = (name: string, change: Change['change'], label: string | null, at = 0): Change => ({
  by: { id: name, name },
  kind: 'node',
  id: label ?? 'x',
  label,
  change,
  at,
})

test('[CANVAS-7] changes are shown by author, what was added first, a drag last', () => {
  const shown = byAuthor([
    change('Bob', 'moved', 'Limit'),
    change('Ann', 'moved', 'Sort'),
    change('Ann', 'changed', 'Old', 1),
    change('Ann', 'changed', 'New', 2),
    change('Ann', 'added', 'Filter'),
    change('Ann', 'removed', 'Join'),
  ])
  expect(shown.map(({ name, changes }) => [name, ...changes.map(nameOf)])).toEqual([
    ['Ann', 'Filter', 'Join', 'New', 'Old', 'Sort'],
    ['Bob', 'Limit'],
  ])
})

test('[CANVAS-7] what has no label, and who has no name, is named all the same', () => {
  expect(nameOf(change('Ann', 'added', null))).toBe('a step')
  expect(nameOf({ ...change('Ann', 'added', ''), kind: 'edge' })).toBe('a connection')
  expect(byAuthor([{ ...change('Ann', 'added', 'A'), by: { id: 'gone', name: null } }])[0]?.name).toBe('Somebody')
})
