import { expect, test } from 'vitest'
import type { NodeTypeSpec } from '../api/types'
import { analysed, columnsAt, columnsFrom, createOverlay } from './overlay'

const port = (name: string) => ({ name, label: name, kind: 'frame' as const })
const join: NodeTypeSpec = {
  id: 'join',
  category: 'Transforms',
  name: 'Join',
  description: '',
  icon: '',
  color: '',
  inputs: [port('left'), port('right')],
  outputs: [port('out')],
  config_schema: {},
  config_defaults: {},
}
const state = {
  ...createOverlay([join]).getState(),
  schemas: {
    flights: {
      out: [
        { name: 'carrier', type: 'string' as const },
        { name: 'delay', type: 'float' as const },
      ],
    },
    airlines: {
      out: [
        { name: 'carrier', type: 'string' as const },
        { name: 'name', type: 'string' as const },
      ],
    },
  },
}
const edges = [
  { source: 'flights', target: 'j', targetHandle: 'left' },
  { source: 'airlines', sourceHandle: 'out', target: 'j', targetHandle: 'right' },
]
const node = { id: 'j', nodeType: 'join' }
const names = (wanted?: string) => columnsAt(state, edges, node, wanted).map(({ name }) => name)

test('[CANVAS-5] a picker offers the columns of the port it is for, and of the first without one', () => {
  expect(names('right')).toEqual(['carrier', 'name'])
  expect(names()).toEqual(['carrier', 'delay'])
  expect(names('elsewhere')).toEqual([])
})

test('[CANVAS-5] a line carries the columns of the output it starts at', () => {
  const schemas = { split: { true: [{ name: 'a', type: 'string' as const }], false: [] } }
  expect(columnsFrom(schemas, 'split', 'true')).toEqual([{ name: 'a', type: 'string' }])
  expect(columnsFrom(schemas, 'split', null)).toBe(schemas.split.true)
  expect(columnsFrom(schemas, 'split', 'elsewhere')).toBe(columnsFrom(schemas, 'unknown', null))
})

test('[CANVAS-4] diagnostics are found by what they are about', () => {
  const at = { severity: 'error' as const, code: 'x', message: 'x' }
  const { byNode, byEdge } = analysed(
    {
      diagnostics: [
        { ...at, node: 'a' },
        { ...at, node: 'a' },
        { ...at, edge: 'e' },
        { ...at, diagram: null },
      ],
      schemas: {},
      execution_order: [],
    },
    createOverlay([]).getState(),
  )
  expect(byNode).toMatchObject({ a: [at, at] })
  expect(byEdge).toMatchObject({ e: [at] })
})
