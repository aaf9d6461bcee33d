import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Awareness } from 'y-protocols/awareness'
import { CanvasDocument } from './document'
import { Presence } from './presence'
import { CanvasView } from './view'

let canvas: CanvasDocument
let presence: Presence
let view: CanvasView

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('requestAnimationFrame', (run: () => void) => setTimeout(run, 16))
  vi.stubGlobal('cancelAnimationFrame', clearTimeout)
  canvas = new CanvasDocument()
  presence = new Presence(new Awareness(canvas.doc), { id: 'me', name: 'Me', color: '#000000' })
  view = new CanvasView(canvas, presence, (id) => ({
    summary: String(canvas.configValue(id, 'path') ?? ''),
    spec: undefined,
  }))
  canvas.insert({
    nodes: ['a', 'b', 'c'].map((id, index) => ({
      id,
      type: 'custom-node',
      position: { x: index * 100, y: 0 },
      data: { label: id, nodeType: 'filter', config: {} },
    })),
    edges: [{ id: 'a-b', type: 'custom-edge', source: 'a', target: 'b' }],
  })
})

afterEach(() => {
  view.destroy()
  presence.awareness.destroy()
  presence.destroy()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const byId = (id: string) => view.nodes().find((node) => node.id === id)
const others = (id: string) => view.nodes().filter((node) => node.id !== id)

/** Somebody else's awareness state, as it arrives. */
function heard(state: Record<string, unknown>): void {
  presence.awareness.states.set(99, { user: { id: 'u', name: 'Bob', color: '#ff0000' }, ...state })
  presence.awareness.emit('change', [{ added: [], updated: [99], removed: [] }, 'remote'])
  vi.advanceTimersByTime(20)
}

test('a change of one node makes one new object', () => {
  const [changed, rest] = [byId('b'), others('b')]
  canvas.setLabel('b', 'B')
  expect(byId('b')).not.toBe(changed)
  expect(byId('b')?.data.label).toBe('B')
  expect(others('b')).toEqual(rest)
  expect(others('b').every((node, index) => node === rest[index])).toBe(true)
})

test('a change of config that no card shows makes none', () => {
  const before = view.nodes()
  canvas.setConfig('b', 'expression', 'x > 1')
  expect(view.nodes()).toBe(before)
  canvas.setConfig('b', 'path', 'flights.csv')
  expect(byId('b')?.data.summary).toBe('flights.csv')
})

test('[SYNC-9] a drag stays out of the document until the drop', () => {
  let updates = 0
  canvas.doc.on('update', () => updates++)
  for (let x = 1; x <= 50; x++) {
    view.onNodesChange([{ id: 'a', type: 'position', position: { x, y: 0 }, dragging: true }])
  }
  expect(byId('a')?.position.x).toBe(50)
  expect(updates).toBe(0)
  vi.advanceTimersByTime(50)
  expect(presence.awareness.getLocalState()?.drag).toEqual({ a: { x: 50, y: 0 } })

  view.onNodesChange([{ id: 'a', type: 'position', position: { x: 50, y: 0 }, dragging: false }])
  expect(updates).toBe(1)
  expect(canvas.node('a')?.position).toEqual({ x: 50, y: 0 })
  vi.advanceTimersByTime(50)
  expect(presence.awareness.getLocalState()?.drag).toBeNull()
})

test('[SYNC-9] a node that another drags is shown where it is held', () => {
  heard({ drag: { c: { x: 7, y: 9 } } })
  expect(byId('c')?.position).toEqual({ x: 7, y: 9 })
  expect(canvas.node('c')?.position).toEqual({ x: 200, y: 0 })
  heard({ drag: null })
  expect(byId('c')?.position).toEqual({ x: 200, y: 0 })
})

test('what another session says in the wrong shape is not believed', () => {
  heard({
    user: { name: 'Bob', color: 'url(//evil)' },
    drag: { c: { x: 'no' } },
    cursor: { x: 1 },
    selection: [1, 'a'],
  })
  expect(byId('c')?.position).toEqual({ x: 200, y: 0 })
  expect(presence.others()).toMatchObject([{ cursor: null, drag: {}, selection: ['a'], user: { color: '#7c7c8a' } }])
})

test('a node that is gone is no longer selected', () => {
  view.select(['a', 'b'], ['a-b'])
  expect(view.selection()).toEqual({ nodes: ['a', 'b'], edges: ['a-b'] })
  canvas.remove(new Set(['b']))
  expect(view.selection()).toEqual({ nodes: ['a'], edges: [] })
  expect(view.edges()).toEqual([])
})

test('however much is selected, what is told of it stays small', () => {
  canvas.insert({
    nodes: Array.from({ length: 2_000 }, (_, index) => ({
      id: `a-node-with-a-rather-long-id-${index}`,
      type: 'custom-node' as const,
      position: { x: 0, y: 0 },
      data: { label: '', nodeType: 'filter', config: {} },
    })),
    edges: [],
  })
  view.select(canvas.nodes.keys())
  vi.advanceTimersByTime(50)
  expect(JSON.stringify(presence.awareness.getLocalState()).length).toBeLessThan(16_384)
})
