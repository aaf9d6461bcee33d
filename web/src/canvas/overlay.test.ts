import { expect, test } from 'vitest'
import type { Findings } from '../api/events'
import type { NodeTypeSpec } from '../api/types'
import { analysed, columnsAt, columnsFrom, createOverlay, foundAll, NOTHING_FOUND } from './overlay'

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
      nodes: {
        a: {
          diagnostics: [
            { ...at, node: 'a' },
            { ...at, node: 'a' },
          ],
          schemas: {},
        },
      },
      edges: { e: { diagnostics: [{ ...at, edge: 'e' }], schemas: {} } },
      diagram: { diagnostics: [{ ...at, diagram: null }], schemas: {} },
    },
    createOverlay([]).getState(),
  )
  expect(byNode).toMatchObject({ a: [at, at] })
  expect(byEdge).toMatchObject({ e: [at] })
})

test('[CANVAS-4] what the server tells anew takes the place of what it told, and leaves the rest', () => {
  const finding = (code: string, node: string) => ({
    diagnostics: [{ severity: 'error' as const, code, message: code, node }],
    schemas: { out: [{ name: code, type: 'string' as const }] },
  })
  const overlay = createOverlay([])
  const told = (nodes: Findings['nodes']) => overlay.setState((state) => analysed({ nodes, edges: {} }, state))
  told({ b: finding('one', 'b'), a: finding('two', 'a'), constructor: finding('three', 'constructor') })
  told({ b: finding('four', 'b'), a: null })
  expect(overlay.getState().diagnostics.map(({ code }) => code)).toEqual(['four', 'three'])
  expect(Object.keys(overlay.getState().schemas)).toEqual(['b', 'constructor'])
  overlay.setState((state) => foundAll(NOTHING_FOUND, state))
  expect(overlay.getState().diagnostics).toEqual([])
})
