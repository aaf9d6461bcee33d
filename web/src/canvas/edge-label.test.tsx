// @vitest-environment jsdom
import { cleanup, render, screen } from '@testing-library/react'
import { afterEach, expect, test } from 'vitest'
import type { Column } from '../api/types'
import { EdgeLabel } from './edge-label'

afterEach(cleanup)

const columns: Column[] = [
  { name: 'carrier', type: 'string' },
  { name: 'delay', type: 'float' },
]

test('[CANVAS-5] a line tells its columns and their types', () => {
  render(<EdgeLabel id="e" rows={undefined} columns={columns} />)
  const label = screen.getByTestId('edge-columns-e')
  expect(label.textContent).toBe('2')
  expect(label.title).toBe('carrier: string\ndelay: float')
})

test('[CANVAS-5] in a run a line tells its rows, and its columns all the same', () => {
  render(<EdgeLabel id="e" rows={1200} columns={columns} />)
  expect(screen.queryByTestId('edge-columns-e')).toBeNull()
  expect(screen.getByTestId('edge-rows-e').title).toContain('carrier: string')
})

test('a column without a name has a label, and a name of two lines takes one', () => {
  const odd = ['', 'a\nb'].map((name): Column => ({ name, type: 'string' }))
  render(<EdgeLabel id="e" rows={undefined} columns={odd} />)
  expect(screen.getByTestId('edge-columns-e').title).toBe('Unnamed column: string\na b: string')
})

test('of a wide table the first columns are named', () => {
  const wide: Column[] = Array.from({ length: 40 }, (_, place) => ({ name: `c${place}`, type: 'integer' }))
  render(<EdgeLabel id="e" rows={undefined} columns={wide} />)
  const lines = screen.getByTestId('edge-columns-e').title.split('\n')
  expect(lines).toHaveLength(31)
  expect(lines.at(-1)).toBe('and 10 more')
})
