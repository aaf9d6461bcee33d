import { expect, test } from 'vitest'
import * as Y from 'yjs'
import type { NodeTypeSpec } from '../api/types'
import { summaryOf } from './summary'

function summary(config_schema: object, config: Record<string, unknown>): string {
  const map = new Y.Doc().getMap('config')
  for (const [key, value] of Object.entries(config)) map.set(key, value)
  return summaryOf({ config_schema } as NodeTypeSpec, (key) => map.get(key))
}

test('what is required comes first', () => {
  const text = { type: 'string' }
  const schema = { required: ['path'], properties: { format: { enum: ['csv'] }, delimiter: text, path: text } }
  const config = { format: 'csv', delimiter: ';' }
  expect(summary(schema, { ...config, path: 'flights.csv' })).toBe('flights.csv')
  expect(summary(schema, { ...config, path: ' ' })).toBe('')
  expect(summary({ ...schema, required: ['format'] }, config)).toBe(';')
})

test('lists name their items, numbers their key', () => {
  const list = { required: ['by'], properties: { by: { type: 'array' } } }
  expect(summary(list, { by: [{ column: 'a' }, { column: 'b', name: 'mean_b' }, 'c', null] })).toBe('a, mean_b, c')
  const number = { required: ['rows'], properties: { rows: { type: 'integer', title: 'Rows' } } }
  expect(summary(number, { rows: 1000 })).toBe('Rows: 1,000')
  expect(summary(number, { rows: 0.00025 })).toBe('Rows: 0.00025')
  expect(summary(number, { rows: 1e300 })).toBe('Rows: 1e+300')
})

test('shared text is one line', () => {
  const schema = { required: ['query'], properties: { query: { type: 'string' } } }
  expect(summary(schema, { query: new Y.Text('SELECT *\n  FROM input') })).toBe('SELECT * FROM input')
})

test('of a shared text in parts the first ones are shown', () => {
  const query = new Y.Doc().getText('query')
  query.insert(0, 'SELECT 1')
  query.insert(7, '2, ')
  query.delete(0, 3)
  query.insert(4, `${'x'.repeat(2_000)} `)
  expect(query.toString().startsWith('ECT xx')).toBe(true)
  const spec = { config_schema: { required: ['query'], properties: { query: { type: 'string' } } } }
  expect(summaryOf(spec as unknown as NodeTypeSpec, () => query)).toBe(`ECT ${'x'.repeat(76)}`)
})

test('a step without a configuration has none', () => {
  expect(summary({}, {})).toBe('')
  expect(summaryOf(undefined, () => undefined)).toBe('')
})
