import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { NodeTypeSpec, Port } from '../api/types'
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

const add = (type: keyof typeof SPECS, after?: string) => addNode(session, SPECS[type], { x: 0, y: 0 }, after)
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
