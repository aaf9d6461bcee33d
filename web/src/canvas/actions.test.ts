import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { NodeTypeSpec, Port } from '../api/types'
import { notify } from '../components/toast'
import {
  addNode,
  canConnect,
  connect,
  copySelection,
  deleteSelection,
  duplicateSelection,
  paste,
  toggleDisabled,
} from './actions'
import { CanvasSession } from './session'
import { NODES_MAX } from './view'

vi.mock('../components/toast')

const port = (name: string, kind: Port['kind'] = 'frame', many = false): Port => ({ name, label: name, kind, many })

function spec(id: string, inputs: Port[], outputs: Port[], config_schema = {}): NodeTypeSpec {
  return {
    id,
    category: '',
    name: id,
    description: '',
    icon: '',
    color: '',
    inputs,
    outputs,
    config_schema,
    config_defaults: { query: 'select 1' },
  }
}

const query = { properties: { query: { type: 'string', 'x-ui': { widget: 'code' } } } }
const SPECS = {
  trigger: spec('trigger', [], [port('out', 'any')]),
  read: spec('read', [port('trigger', 'any')], [port('out')]),
  http: spec('http', [], [port('out', 'json')]),
  filter: spec('filter', [port('in')], [port('out')]),
  sql: spec('sql', [port('in', 'frame', true)], [port('out')], query),
}

let session: CanvasSession

beforeEach(() => {
  vi.stubGlobal('addEventListener', vi.fn())
  vi.stubGlobal('removeEventListener', vi.fn())
  vi.stubGlobal('requestAnimationFrame', () => 0)
  vi.stubGlobal('cancelAnimationFrame', vi.fn())
  session = new CanvasSession({
    nodeTypes: Object.values(SPECS),
    me: { id: 'me', name: 'Me', color: '#000000' },
    address: () => new Promise(() => undefined),
  })
})

afterEach(() => {
  session.destroy()
  vi.unstubAllGlobals()
})

const add = (type: keyof typeof SPECS, after?: string) =>
  addNode(session, SPECS[type], { x: 0, y: 0 }, after) ?? 'not added'
const edges = () => session.document.liveEdges().map(({ source, target }) => `${source}>${target}`)
const between = (source: string, target: string) => ({ source, target, sourceHandle: 'out', targetHandle: 'in' })

test('a step starts with the defaults of its type, its code as shared text', () => {
  const id = add('sql')
  expect(session.document.node(id)?.data).toMatchObject({
    label: 'sql',
    nodeType: 'sql',
    config: { query: 'select 1' },
  })
  expect(session.document.sharedText(id, 'query')).toBeDefined()
  expect(session.view.selection().nodes).toEqual([id])
})

test('a step never lands on another one', () => {
  const [a, b] = [add('filter'), add('filter')]
  expect(session.document.node(a)?.position).not.toEqual(session.document.node(b)?.position)
})

test('a step added after another is connected to it where the ports fit', () => {
  const read = add('read')
  const filter = add('filter', read)
  expect(edges()).toEqual([`${read}>${filter}`])
  session.document.undo.undo()
  expect(session.document.nodes.size).toBe(0)

  const http = add('http')
  add('filter', http)
  expect(edges()).toEqual([])
})

test('an input that takes one edge gives up the one it had; one that takes many keeps it', () => {
  const [a, b, filter, sql] = [add('read'), add('read'), add('filter'), add('sql')]
  connect(session, between(a, filter))
  connect(session, between(b, filter))
  expect(edges()).toEqual([`${b}>${filter}`])
  connect(session, between(a, sql))
  connect(session, between(b, sql))
  expect(edges()).toEqual([`${b}>${filter}`, `${a}>${sql}`, `${b}>${sql}`])
})

test('what does not fit cannot be connected', () => {
  const [trigger, http, read, filter] = [add('trigger'), add('http'), add('read'), add('filter')]
  expect(canConnect(session, between(read, filter))).toBe(true)
  expect(canConnect(session, between(trigger, filter))).toBe(true)
  expect(canConnect(session, between(http, filter))).toBe(false)
  expect(canConnect(session, between(filter, filter))).toBe(false)
  expect(canConnect(session, between(filter, trigger))).toBe(false)
  connect(session, between(read, filter))
  expect(canConnect(session, { source: read, target: filter })).toBe(false)
})

test('copy, paste, duplicate and delete work on the selection', () => {
  const read = add('read')
  const filter = add('filter', read)
  session.view.select([read, filter])
  const text = copySelection(session) ?? ''
  expect(paste(session, text, { x: 1000, y: 1000 })).toBe(true)
  expect(session.document.nodes.size).toBe(4)
  expect(edges()).toHaveLength(2)
  expect(session.view.selection().nodes).toHaveLength(2)
  const places = () => session.view.nodes().map(({ position }) => `${position.x},${position.y}`)
  expect(paste(session, text, { x: 1000, y: 1000 })).toBe(true)
  expect(new Set(places()).size).toBe(6)
  deleteSelection(session)
  session.view.select(
    session.view
      .nodes()
      .slice(2)
      .map((node) => node.id),
  )
  duplicateSelection(session)
  expect(session.document.nodes.size).toBe(6)
  deleteSelection(session)
  expect(session.document.nodes.size).toBe(4)
  expect(paste(session, 'no workflow', { x: 0, y: 0 })).toBe(false)
})

test('disabling a mixed selection disables all of it, and again enables it', () => {
  const [a, b] = [add('read'), add('filter')]
  session.document.setDisabled([a], true)
  session.view.select([a, b])
  const disabled = () => [a, b].map((id) => session.document.node(id)?.data.disabled === true)
  toggleDisabled(session)
  expect(disabled()).toEqual([true, true])
  toggleDisabled(session)
  expect(disabled()).toEqual([false, false])
})

/** A diagram of so many steps in a row, each connected to the next. */
function chain(count: number, nodeType = 'filter') {
  const ids = Array.from({ length: count }, (_, index) => `n${index}`)
  const nodes = ids.map((id, index) => ({
    id,
    position: { x: index * 260, y: 0 },
    data: { label: 'Filter', nodeType, config: {} },
  }))
  const edges = ids.slice(1).map((target, index) => ({ source: ids[index], target }))
  return JSON.stringify({ nodes, edges })
}

test('[WEB-1] what is pasted has its middle at the point, names and ids of its own, and its connections', () => {
  const original = add('filter')
  session.document.setLabel(original, 'Filter')
  paste(session, chain(2), { x: 1000, y: 500 })
  paste(session, chain(2), { x: 1000, y: 500 })
  const pasted = session.view.nodes().filter(({ id }) => id !== original)
  expect(pasted.map(({ data }) => data.label)).toEqual(['Filter 2', 'Filter 3', 'Filter 4', 'Filter 5'])
  expect(pasted.map(({ position }) => position)).toEqual([
    { x: 760, y: 471 },
    { x: 1020, y: 471 },
    { x: 792, y: 503 },
    { x: 1052, y: 503 },
  ])
  const [a, b, c, d] = pasted.map(({ id }) => id)
  expect(edges()).toEqual([`${a}>${b}`, `${c}>${d}`])
  expect(session.view.selection().nodes).toEqual([c, d])
  duplicateSelection(session)
  expect(
    session.view
      .nodes()
      .slice(-2)
      .map(({ data }) => data.label),
  ).toEqual(['Filter 6', 'Filter 7'])
})

test('[SYNC-18] more than a workflow holds is refused before anything is written, and that is said', () => {
  const updates = vi.fn()
  session.document.doc.on('update', updates)
  expect(paste(session, chain(NODES_MAX + 1), { x: 0, y: 0 })).toBe(true)
  expect(updates).not.toHaveBeenCalled()
  expect(notify).toHaveBeenCalledWith({
    kind: 'error',
    text: 'A workflow holds at most 10,000 steps',
    detail: 'This one has 0, so 10,001 more do not fit. Nothing was added.',
  })
})

test('[WEB-7] thousands of steps are pasted, over as many others, in one edit and at once', { timeout: 20_000 }, () => {
  const updates = vi.fn()
  session.document.doc.on('update', updates)
  const started = performance.now()
  for (let time = 0; time < 2; time++) paste(session, chain(NODES_MAX / 2), { x: 0, y: 0 })
  expect(session.view.nodes()).toHaveLength(NODES_MAX)
  expect(new Set(session.view.nodes().map(({ data }) => data.label)).size).toBe(NODES_MAX)
  expect(updates).toHaveBeenCalledTimes(2)
  // Comparing each with each takes minutes.
  expect(performance.now() - started).toBeLessThan(10_000)
  expect(addNode(session, SPECS.read, { x: 0, y: 0 })).toBeUndefined()
  expect(updates).toHaveBeenCalledTimes(2)
})
