import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { junk } from '../testing/junk'
import { Random } from '../testing/random'
import { CanvasDocument, type Root } from './document'
import { type FlawList, Flaws } from './flaws'
import { cut, parseFragment } from './fragment'
import { loops } from './loops'
import { Presence } from './presence'
import { plain, pointOf } from './read'
import { summaryOf } from './summary'
import { CanvasView, NODES_MAX } from './view'

beforeEach(() => {
  vi.stubGlobal('requestAnimationFrame', () => 0)
  vi.stubGlobal('cancelAnimationFrame', () => undefined)
})

afterEach(() => {
  vi.unstubAllGlobals()
})

const schema = { required: ['query'], properties: { query: { type: 'string' }, by: { type: 'array' } } }

/** An open canvas, as a session has it, without a connection. */
function opened(doc = new Y.Doc()) {
  const canvas = new CanvasDocument(undefined, doc)
  const presence = new Presence(new Awareness(doc), { id: 'me', name: 'Me', color: '#000000' })
  const view = new CanvasView(canvas, presence, (id) => ({
    summary: summaryOf({ config_schema: schema } as never, (key) => canvas.configValue(id, key)),
    spec: undefined,
  }))
  let list: FlawList = { flaws: [], more: 0 }
  const flaws = new Flaws(canvas, (told) => {
    list = told
  })
  const close = () => {
    flaws.destroy()
    view.destroy()
    presence.awareness.destroy()
    presence.destroy()
    canvas.undo.destroy()
    doc.destroy()
  }
  return { canvas, view, list: () => list, close }
}

function nodeMap(changes: Record<string, unknown> = {}): Y.Map<unknown> {
  const parts = { type: 'custom-node', position: { x: 0, y: 0 }, data: dataMap(), ...changes }
  return new Y.Map<unknown>(Object.entries(parts))
}

function dataMap(changes: Record<string, unknown> = {}): Y.Map<unknown> {
  return new Y.Map<unknown>(Object.entries({ label: 'A', nodeType: 'filter', config: new Y.Map(), ...changes }))
}

const isText = (value: unknown) =>
  typeof value === 'string' || (value instanceof Y.Text && !(value instanceof Y.XmlText)) || value == null
const isFlag = (value: unknown) => typeof value === 'boolean' || value == null
const isSize = (value: unknown) => Number.isFinite(value) || value == null
const isObject = (value: unknown) =>
  Object.prototype.toString.call(value) === '[object Object]' && !(value instanceof Y.AbstractType)

/** Right, unless something deep inside is not, which another test looks at. */
const isConfig = (value: unknown) =>
  value === undefined || (value instanceof Y.Map || isObject(value) ? undefined : false)

/** Each place of an element where something wrong may stand, and what of it is right; `undefined`: that depends. */
const PLACES: [root: Root, put: (value: unknown) => unknown, isRight: (value: unknown) => boolean | undefined][] = [
  ['nodes', (value) => value, () => false],
  ['nodes', (position) => nodeMap({ position }), (value) => pointOf(value) !== undefined],
  ['nodes', (data) => nodeMap({ data }), () => false],
  ['nodes', (width) => nodeMap({ width }), isSize],
  ['nodes', (parentId) => nodeMap({ parentId }), isText],
  ['nodes', (label) => nodeMap({ data: dataMap({ label }) }), isText],
  ['nodes', (nodeType) => nodeMap({ data: dataMap({ nodeType }) }), (value) => isText(value) && value !== undefined],
  ['nodes', (notes) => nodeMap({ data: dataMap({ notes }) }), isText],
  ['nodes', (disabled) => nodeMap({ data: dataMap({ disabled }) }), isFlag],
  ['nodes', (config) => nodeMap({ data: dataMap({ config }) }), isConfig],
  ['edges', (value) => value, () => false],
  [
    'edges',
    (source) => new Y.Map<unknown>(Object.entries({ source, target: 'good' })),
    (value) => isText(value) && value != null,
  ],
  [
    'edges',
    (target) => new Y.Map<unknown>(Object.entries({ source: 'good', target })),
    (value) => isText(value) && value != null,
  ],
  [
    'edges',
    (targetHandle) => new Y.Map<unknown>(Object.entries({ source: 'good', target: 'good', targetHandle })),
    isText,
  ],
  ['notes', (value) => value, (value) => value instanceof Y.Map || isObject(value)],
]

const SEEDS = 10_000
const CHUNK = 1_000

test.each(Array.from({ length: SEEDS / CHUNK }, (_, chunk) => chunk * CHUNK))(
  '[CANVAS-9] a document with wrong shapes at every place is read, marked, and edited where it is right: seeds from %i',
  { timeout: 60_000 },
  (first) => {
    for (let seed = first; seed < first + CHUNK; seed++) survives(seed)
  },
)

function survives(seed: number): void {
  const random = new Random(seed)
  const theirs = new Y.Doc()
  const wrong = new Set<string>()
  const right = new Set<string>()
  theirs.transact(() => {
    theirs.getMap('nodes').set('good', nodeMap())
    for (let count = 1 + random.below(6); count > 0; count--) {
      const [root, put, isRight] = random.oneOf(PLACES)
      const value = junk(random)
      const id = random.oneOf(['a', 'b', '__proto__', 'constructor', `${count}`, ' '])
      const isFine = isRight(value)
      theirs.getMap(root).set(id, put(value))
      wrong.delete(`${root} ${id}`)
      right.delete(`${root} ${id}`)
      if (isFine !== undefined) (isFine ? right : wrong).add(`${root} ${id}`)
    }
    if (random.below(4) === 0) theirs.getMap('meta').set('viewport', junk(random))
    theirs.getMap('nodes').set('other', nodeMap({ position: { x: 300, y: 0 } }))
    theirs.getMap('edges').set(
      'good-other',
      new Y.Map([
        ['source', 'good'],
        ['target', 'other'],
      ]),
    )
  })
  const update = Y.encodeStateAsUpdate(theirs)
  const doc = new Y.Doc()
  if (seed % 2 === 0) Y.applyUpdate(doc, update)
  const { canvas, view, list, close } = opened(doc)
  if (seed % 2 === 1) Y.applyUpdate(doc, update)

  const told = () => new Set(list().flaws.map(({ root, id }) => `${root} ${id}`))
  const place = `seed ${seed}`
  for (const each of wrong) expect(told(), place).toContain(each)
  for (const each of right) expect(told(), place).not.toContain(each)
  expect(
    view
      .nodes()
      .map(({ id }) => id)
      .sort(),
    place,
  ).toEqual([...canvas.nodes.keys()].sort())
  for (const { position, data } of view.nodes()) {
    expect(Number.isFinite(position.x + position.y), place).toBe(true)
    expect(typeof data.label + typeof data.nodeType + typeof data.notes, place).toBe('stringstringstring')
  }
  expect(
    view.edges().map(({ id }) => id),
    place,
  ).toContain('good-other')

  const copied = JSON.stringify(cut(canvas, new Set(canvas.nodes.keys())))
  expect(
    parseFragment(copied)?.nodes.map(({ id }) => id),
    place,
  ).toContain('good')
  canvas.setLabel('good', 'Renamed')
  canvas.setConfig('good', 'query', 'select 1')
  canvas.move(new Map([['good', { x: 5, y: 6 }]]))
  expect(canvas.node('good'), place).toMatchObject({
    position: { x: 5, y: 6 },
    data: { label: 'Renamed', config: { query: 'select 1' } },
  })
  for (const id of canvas.nodes.keys()) {
    canvas.setLabel(id, 'x')
    canvas.setConfig(id, 'query', 1)
    canvas.share(id, 'query')
  }

  for (const { root, id } of list().flaws) canvas.removeEntry(root, id)
  expect(list().flaws, place).toEqual([])
  expect(canvas.node('good')?.position, place).toEqual({ x: 5, y: 6 })
  canvas.undoEdit()
  canvas.redoEdit()
  close()
  theirs.destroy()
}

test('[CANVAS-9] what is nested deeper than JSON may be is null, and what JSON cannot say too', () => {
  const doc = new Y.Doc()
  let map = doc.getMap<unknown>('x')
  for (let level = 0; level < 2_000; level++) {
    const inner = new Y.Map<unknown>()
    map.set('a', inner)
    map = inner
  }
  expect(JSON.stringify(plain(doc.getMap('x')))).toMatch(/^({"a":){64}null}+$/)
  expect(plain([1n, Number.NaN, undefined, new Uint8Array(1), new Y.Doc()])).toEqual([1, null, null, null, null])
})

test('[CANVAS-9] parents that lead back to themselves are found, however long the way is', () => {
  const chain = new Map(Array.from({ length: 10_000 }, (_, at): [string, string] => [`${at}`, `${at + 1}`]))
  expect(loops(chain)).toEqual(new Set())
  chain.set('10000', '9998')
  expect(loops(chain)).toEqual(new Set(['9998', '9999', '10000']))
})

test('[CANVAS-9] each node of a loop of parents is marked once', () => {
  const { canvas, list, close } = opened()
  canvas.doc.transact(() => {
    for (const [id, parentId] of [
      ['a', 'b'],
      ['b', 'a'],
      ['c', 'c'],
      ['d', 'a'],
    ] as const) {
      canvas.nodes.set(id, nodeMap({ parentId }))
    }
  })
  expect(
    list()
      .flaws.map(({ id }) => id)
      .sort(),
  ).toEqual(['a', 'b', 'c'])
  ;(canvas.nodes.get('a') as Y.Map<unknown>).delete('parentId')
  expect(list().flaws.map(({ id }) => id)).toEqual(['c'])
  close()
})

test('[CANVAS-9] a config that is a plain object is read, and becomes a map when it is edited', () => {
  const { canvas, list, close } = opened()
  canvas.nodes.set('a', nodeMap({ data: dataMap({ config: { path: 'x.csv', query: 'select 1' } }) }))
  expect(list().flaws).toEqual([])
  expect(canvas.node('a')?.data.config).toEqual({ path: 'x.csv', query: 'select 1' })
  canvas.share('a', 'query')
  canvas.setConfig('a', 'path', 'y.csv')
  expect(canvas.sharedText('a', 'query')?.toString()).toBe('select 1')
  expect(canvas.node('a')?.data.config).toEqual({ path: 'y.csv', query: 'select 1' })
  close()
})

test('[CANVAS-9] of a document with too many steps the first are drawn, and the others when there is room', () => {
  const { canvas, view, close } = opened()
  canvas.doc.transact(() => {
    for (let index = 0; index < NODES_MAX + 20; index++)
      canvas.nodes.set(`${index}`, nodeMap({ position: { x: index * 300, y: 0 } }))
  })
  expect(view.nodes()).toHaveLength(NODES_MAX)
  expect(view.hidden()).toBe(20)
  canvas.remove(
    new Set(
      view
        .nodes()
        .slice(0, 15)
        .map(({ id }) => id),
    ),
  )
  expect(view.nodes()).toHaveLength(NODES_MAX)
  expect(view.hidden()).toBe(5)
  close()
})

test('[CANVAS-9] of a million flaws the first are listed, and how many there are more', () => {
  const { canvas, list, close } = opened()
  canvas.doc.transact(() => {
    for (let index = 0; index < 3_000; index++) canvas.notes.set(`${index}`, 1)
  })
  expect(list().flaws).toHaveLength(1_000)
  expect(list().more).toBe(2_000)
  close()
})
