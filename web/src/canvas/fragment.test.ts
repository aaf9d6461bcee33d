import { expect, test } from 'vitest'
import { CanvasDocument } from './document'
import { cut, offsetTo, parseFragment, renewed } from './fragment'

const diagram = {
  nodes: [
    {
      id: 'a',
      type: 'custom-node',
      position: { x: 0, y: 0 },
      data: { label: 'A', nodeType: 'read_file', config: { path: 'x.csv' } },
    },
    {
      id: 'b',
      type: 'custom-node',
      position: { x: 200, y: 100 },
      data: { label: 'B', nodeType: 'filter', config: {} },
    },
  ],
  edges: [{ id: 'e', type: 'custom-edge', source: 'a', target: 'b', sourceHandle: 'out', targetHandle: 'in' }],
}

test('what is copied can be pasted again, under fresh ids and still connected', () => {
  const canvas = new CanvasDocument()
  const original = parseFragment(JSON.stringify(diagram))
  if (!original) throw new Error('not read')
  canvas.insert(original)

  const copied = parseFragment(JSON.stringify(cut(canvas, new Set(['a', 'b']))))
  expect(copied).toEqual(original)
  const pasted = renewed(original, { x: 10, y: 20 }, (label) => label)
  const ids = pasted.nodes.map(({ id }) => id)
  expect(new Set([...ids, 'a', 'b']).size).toBe(4)
  expect(pasted.edges).toMatchObject([{ source: ids[0], target: ids[1], sourceHandle: 'out', targetHandle: 'in' }])
  expect(pasted.nodes.map(({ position }) => position)).toEqual([
    { x: 10, y: 20 },
    { x: 210, y: 120 },
  ])
})

test('an edge to what was not copied is left behind', () => {
  const canvas = new CanvasDocument()
  canvas.insert(parseFragment(JSON.stringify(diagram)) ?? { nodes: [], edges: [] })
  expect(cut(canvas, new Set(['a'])).edges).toEqual([])
})

test('a workflow file is read for its diagram', () => {
  const file = { format_version: 1, name: 'x', diagram }
  expect(parseFragment(JSON.stringify(file))?.nodes).toHaveLength(2)
})

test.each(['', 'hello', '[]', '{"nodes":[]}', '{"nodes":[{"id":1}]}', 'null'])('%j is no fragment', (text) => {
  expect(parseFragment(text)).toBeUndefined()
})

test('[WEB-1] a fragment is moved so that the middle of its cards is at the point', () => {
  const fragment = parseFragment(JSON.stringify(diagram))
  expect(fragment && offsetTo(fragment, { x: 500, y: 500 })).toEqual({ x: 290, y: 421 })
})
