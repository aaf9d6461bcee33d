import { expect, test } from 'vitest'
import * as Y from 'yjs'
import type { DiagramNode } from './diagram'
import { CanvasDocument } from './document'

const code = (nodeType: string) => {
  const keys = nodeType === 'sql' ? ['query'] : []
  return { all: new Set(keys), required: keys }
}

function node(id: string, nodeType = 'filter', config: Record<string, unknown> = {}): DiagramNode {
  return { id, type: 'custom-node', position: { x: 0, y: 0 }, data: { label: id, nodeType, config } }
}

function edge(source: string, target: string) {
  return { id: `${source}-${target}`, type: 'custom-edge' as const, source, target }
}

/** Two people with one document. */
function pair(): [CanvasDocument, CanvasDocument] {
  const [a, b] = [new CanvasDocument(code), new CanvasDocument(code)]
  a.doc.on('update', (update, origin) => origin !== b && Y.applyUpdate(b.doc, update, a))
  b.doc.on('update', (update, origin) => origin !== a && Y.applyUpdate(a.doc, update, b))
  return [a, b]
}

test('[CANVAS-1] a node is a map whose position is one value and whose code is shared text', () => {
  const canvas = new CanvasDocument(code)
  canvas.insert({ nodes: [node('q', 'sql', { query: 'select 1', limit: 3 })], edges: [] })
  const entry = canvas.nodes.get('q') as Y.Map<unknown> | undefined
  expect(entry?.get('type')).toBe('custom-node')
  expect(entry?.get('position')).toEqual({ x: 0, y: 0 })
  expect(canvas.configValue('q', 'query')).toBeInstanceOf(Y.Text)
  expect(canvas.configValue('q', 'limit')).toBe(3)
  expect(canvas.node('q')).toEqual(node('q', 'sql', { query: 'select 1', limit: 3 }))
})

test('a changed field writes that field and nothing else', () => {
  const canvas = new CanvasDocument(code)
  canvas.insert({ nodes: [node('a', 'filter', { expression: 'x', other: [1] })], edges: [] })
  const changed: string[] = []
  canvas.nodes.observeDeep((events) => {
    for (const event of events)
      changed.push(...[...event.changes.keys.keys()].map((key) => [...event.path, key].join('.')))
  })
  canvas.setConfig('a', 'expression', 'y')
  canvas.setLabel('a', 'A')
  canvas.move(new Map([['a', { x: 8, y: 16 }]]))
  expect(changed).toEqual(['a.data.config.expression', 'a.data.label', 'a.position'])
})

test('what does not change writes nothing', () => {
  const canvas = new CanvasDocument(code)
  canvas.insert({ nodes: [node('a')], edges: [] })
  let updates = 0
  canvas.doc.on('update', () => updates++)
  canvas.move(new Map([['a', { x: 0, y: 0 }]]))
  canvas.setLabel('a', 'a')
  canvas.setDisabled(['a'], false)
  expect(updates).toBe(0)
})

test('two people type in one text', () => {
  const [a, b] = pair()
  a.insert({ nodes: [node('q', 'sql', { query: 'select' })], edges: [] })
  a.sharedText('q', 'query')?.insert(6, ' *')
  b.sharedText('q', 'query')?.insert(0, '-- mine\n')
  expect(a.node('q')?.data.config.query).toBe('-- mine\nselect *')
  expect(b.node('q')).toEqual(a.node('q'))
})

test('a plain string becomes shared text when it is opened, and undo does not take that back', () => {
  const canvas = new CanvasDocument(code)
  canvas.insert({ nodes: [node('q', 'filter', { query: 'select 1' })], edges: [] })
  canvas.undo.clear()
  expect(canvas.sharedText('q', 'query')).toBeUndefined()
  canvas.share('q', 'query')
  expect(canvas.sharedText('q', 'query')?.toString()).toBe('select 1')
  expect(canvas.undo.undoStack).toHaveLength(0)
})

test('[CANVAS-6] undo takes back what was done here, never what another did', () => {
  const [a, b] = pair()
  a.insert({ nodes: [node('mine')], edges: [] })
  b.insert({ nodes: [node('theirs')], edges: [] })
  b.setLabel('mine', 'renamed by b')
  a.undo.undo()
  expect([...a.nodes.keys()]).toEqual(['theirs'])
  a.undo.redo()
  expect([...b.nodes.keys()].sort()).toEqual(['mine', 'theirs'])
  b.undo.undo()
  expect([...a.nodes.keys()]).toEqual(['mine'])
})

test('a removed node takes its edges with it, in one step of undo', () => {
  const canvas = new CanvasDocument(code)
  canvas.insert({ nodes: [node('a'), node('b'), node('c')], edges: [edge('a', 'b'), edge('b', 'c')] })
  canvas.undo.stopCapturing()
  canvas.remove(new Set(['b']))
  expect([...canvas.edges.keys()]).toEqual([])
  canvas.undo.undo()
  expect(canvas.liveEdges().map(({ id }) => id)).toEqual(['a-b', 'b-c'])
})

test('[CANVAS-9] an edge whose node is gone is not drawn', () => {
  const [a, b] = pair()
  a.insert({ nodes: [node('a'), node('b')], edges: [] })
  b.insert({ nodes: [], edges: [edge('a', 'b')] })
  a.nodes.delete('b')
  expect(b.edges.size).toBe(1)
  expect(b.liveEdges()).toEqual([])
})

test('[CANVAS-1] code that a step requires is shared text from the start, the same for everybody', () => {
  const [a, b] = pair()
  a.insert({ nodes: [node('q', 'sql')], edges: [] })
  a.share('q', 'query')
  b.share('q', 'query')
  a.sharedText('q', 'query')?.insert(0, 'select ')
  b.sharedText('q', 'query')?.insert(7, '1')
  expect(a.sharedText('q', 'query')?.toString()).toBe('select 1')
})

test('[SYNC-10] a read-only document takes no edit, and nothing is undone in it', () => {
  const canvas = new CanvasDocument(code)
  canvas.insert({ nodes: [node('a')], edges: [] })
  canvas.undo.stopCapturing()
  canvas.setLabel('a', 'mine')
  canvas.undoEdit()
  const before = canvas.doc.toJSON()
  canvas.readOnly = true
  canvas.setLabel('a', 'other')
  canvas.remove(new Set(['a']))
  canvas.share('a', 'query')
  canvas.undoEdit()
  canvas.redoEdit()
  expect(canvas.doc.toJSON()).toEqual(before)
})
