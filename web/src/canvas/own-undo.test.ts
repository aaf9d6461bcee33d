import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { Random } from '../testing/random'
import { CanvasDocument } from './document'

const code = (nodeType: string) => ({ all: new Set(nodeType === 'sql' ? ['query'] : []), required: [] })

function add(canvas: CanvasDocument, id: string, config: Record<string, unknown> = {}, nodeType = 'limit'): void {
  const data = { label: id, nodeType, config }
  canvas.insert({ nodes: [{ id, type: 'custom-node', position: { x: 0, y: 0 }, data }], edges: [] })
}

/** Who of two wins when both set a value at once depends on the ids of their documents. */
const ORDERS = [
  [1, 2],
  [2, 1],
] as const

function withId(id: number): CanvasDocument {
  const canvas = new CanvasDocument(code)
  canvas.doc.clientID = id
  canvas.undo.captureTimeout = 0
  return canvas
}

/** Two people with one document, in which nothing can be undone yet. Each of their edits is a step. */
function pair(
  fill: (canvas: CanvasDocument) => void,
  [first, second] = ORDERS[0] as readonly [number, number],
): [CanvasDocument, CanvasDocument] {
  const [a, b] = [withId(first), withId(second)]
  a.doc.on('update', (update, origin) => origin !== b && Y.applyUpdate(b.doc, update, a))
  b.doc.on('update', (update, origin) => origin !== a && Y.applyUpdate(a.doc, update, b))
  fill(a)
  a.undo.clear()
  return [a, b]
}

/** The same, but what one does the other learns only when told. */
function apart(fill: (canvas: CanvasDocument) => void, [first, second]: readonly [number, number]) {
  const [a, b] = [withId(first), withId(second)]
  fill(a)
  a.undo.clear()
  const tell = (from: CanvasDocument, to: CanvasDocument) =>
    Y.applyUpdate(to.doc, Y.encodeStateAsUpdate(from.doc, Y.encodeStateVector(to.doc)))
  tell(a, b)
  return { a, b, meet: () => [tell(a, b), tell(b, a)] }
}

const rows = (canvas: CanvasDocument) => canvas.configValue('a', 'rows')

test('[CANVAS-6] undo brings back what another had set, and goes no further', () => {
  const [a, b] = pair((canvas) => add(canvas, 'a', { rows: 5 }))
  b.setConfig('a', 'rows', 20)
  a.setConfig('a', 'rows', 30)
  b.setConfig('a', 'rows', 40)
  b.undoEdit()
  expect(rows(a)).toBe(30)
  b.undoEdit()
  expect(rows(a)).toBe(30)
  b.redoEdit()
  expect(rows(a)).toBe(40)
  b.undoEdit()
  a.setConfig('a', 'rows', 50)
  b.redoEdit()
  expect(rows(b)).toBe(50)
})

test.each(ORDERS)('[CANVAS-6] edits that are one step are undone to what the other had set in between', (...order) => {
  const [a, b] = pair((canvas) => add(canvas, 'a', { rows: 5 }), order)
  b.undo.captureTimeout = 60_000
  b.setConfig('a', 'rows', 20)
  a.setConfig('a', 'rows', 30)
  b.setConfig('a', 'rows', 40)
  b.undoEdit()
  expect(rows(a)).toBe(30)
})

interface Kind {
  kind: string
  set: (canvas: CanvasDocument, value: number) => void
  get: (canvas: CanvasDocument) => unknown
}

const KINDS: Kind[] = [
  { kind: 'config value', set: (canvas, value) => canvas.setConfig('a', 'rows', value), get: rows },
  {
    kind: 'position',
    set: (canvas, value) => canvas.move(new Map([['a', { x: value, y: 0 }]])),
    get: (canvas) => canvas.node('a')?.position.x,
  },
  {
    kind: 'name',
    set: (canvas, value) => canvas.setLabel('a', `${value}`),
    get: (canvas) => canvas.node('a')?.data.label,
  },
  {
    kind: 'note',
    set: (canvas, value) => canvas.setNotes('a', `${value}`),
    get: (canvas) => canvas.node('a')?.data.notes,
  },
]

test.each(KINDS)('[CANVAS-6] a $kind that was set in turns is never taken from the other', ({ set, get }) => {
  const [a, b] = pair((canvas) => add(canvas, 'a', { rows: 5 }))
  set(b, 20)
  set(a, 30)
  const theirs = get(a)
  set(b, 40)
  b.undoEdit()
  b.undoEdit()
  expect(get(a)).toEqual(theirs)
})

test.each(KINDS)(
  '[CANVAS-6] a $kind of the other outlives the removal of its step, when that is undone',
  ({ set, get }) => {
    const [a, b] = pair((canvas) => add(canvas, 'a', { rows: 5 }))
    set(b, 20)
    set(a, 30)
    const theirs = get(a)
    b.remove(new Set(['a']))
    b.undoEdit()
    expect(get(a)).toEqual(theirs)
    b.undoEdit()
    expect(get(a)).toEqual(theirs)
  },
)

test.each(KINDS)('[CANVAS-6] a $kind of the other in a step that was brought back stays', ({ set, get }) => {
  const [a, b] = pair((canvas) => add(canvas, 'a', { rows: 5 }))
  set(b, 20)
  b.remove(new Set(['a']))
  b.undoEdit()
  set(a, 30)
  const theirs = get(a)
  b.undoEdit()
  expect(get(a)).toEqual(theirs)
})

test('[CANVAS-6] what another removed stays removed', () => {
  const [a, b] = pair((canvas) => add(canvas, 'a', { rows: 5 }))
  b.setConfig('a', 'rows', 20)
  a.setConfig('a', 'rows', undefined)
  b.undoEdit()
  expect(rows(b)).toBeUndefined()

  b.setNotes('a', 'mine')
  b.setNotes('a', '')
  b.setNotes('a', 'mine again')
  a.setNotes('a', '')
  for (let step = 0; step < 3; step++) b.undoEdit()
  expect(b.node('a')?.data.notes).toBeUndefined()
})

test('[CANVAS-6] a step that another removed does not come back with an edit in it', () => {
  const [a, b] = pair((canvas) => add(canvas, 'a', { rows: 5 }))
  b.setConfig('a', 'rows', 20)
  b.remove(new Set(['a']))
  b.undoEdit()
  a.remove(new Set(['a']))
  b.undoEdit()
  b.redoEdit()
  expect([...b.nodes.keys()]).toEqual([])
})

test('[CANVAS-6] a connection that another removed stays removed', () => {
  const [a, b] = pair((canvas) => {
    add(canvas, 'a')
    add(canvas, 'b')
  })
  b.insert({ nodes: [], edges: [{ id: 'e', type: 'custom-edge', source: 'a', target: 'b' }] })
  b.remove(new Set(), new Set(['e']))
  b.undoEdit()
  a.remove(new Set(), new Set(['e']))
  b.undoEdit()
  b.redoEdit()
  expect(b.liveEdges()).toEqual([])
})

test('[CANVAS-6] steps that another moved since stay, the rest of an arrangement is undone', () => {
  const [a, b] = pair((canvas) => {
    add(canvas, 'a')
    add(canvas, 'b')
  })
  b.move(new Map(['a', 'b'].map((id) => [id, { x: 100, y: 0 }])))
  a.move(new Map([['a', { x: 7, y: 7 }]]))
  b.undoEdit()
  expect(b.node('a')?.position).toEqual({ x: 7, y: 7 })
  expect(b.node('b')?.position).toEqual({ x: 0, y: 0 })
})

test('[CANVAS-6] in a shared text each takes back only what they typed', () => {
  const [a, b] = pair((canvas) => add(canvas, 'q', { query: 'select 1' }, 'sql'))
  const text = (canvas: CanvasDocument) => canvas.sharedText('q', 'query') as Y.Text
  b.edit(() => text(b).delete(7, 1))
  b.edit(() => text(b).insert(7, '22'))
  a.edit(() => text(a).insert(9, ' + 3'))
  b.undoEdit()
  expect(text(a).toString()).toBe('select  + 3')
  b.undoEdit()
  expect(text(a).toString()).toBe('select 1 + 3')
  b.undoEdit()
  expect(text(a).toString()).toBe('select 1 + 3')
  a.undoEdit()
  expect(text(b).toString()).toBe('select 1')
})

test.each(ORDERS)('[CANVAS-6] a removed step brings its text back as it was, for both', (...order) => {
  const [a, b] = pair((canvas) => add(canvas, 'q', { query: 'text' }, 'sql'), order)
  b.edit(() => b.sharedText('q', 'query')?.delete(2, 2))
  b.undoEdit()
  a.edit(() => a.sharedText('q', 'query')?.insert(4, ' of a'))
  b.edit(() => b.sharedText('q', 'query')?.insert(4, ' b,'))
  b.remove(new Set(['q']))
  b.undoEdit()
  expect([a, b].map((canvas) => canvas.configValue('q', 'query')?.toString())).toEqual(Array(2).fill('text b, of a'))
  b.undoEdit()
  expect([a, b].map((canvas) => canvas.configValue('q', 'query')?.toString())).toEqual(Array(2).fill('text of a'))
})

test.each(ORDERS)('[CANVAS-6] when two set a value at once, undo leaves one there', (...order) => {
  const { a, b, meet } = apart((canvas) => add(canvas, 'a', { rows: 5 }), order)
  a.setConfig('a', 'rows', 30)
  b.setConfig('a', 'rows', 20)
  meet()
  // Where the other's value won, it stays; else the one from before comes back.
  const expected = rows(b) === 30 ? 30 : 5
  b.undoEdit()
  meet()
  expect([rows(a), rows(b)]).toEqual([expected, expected])
})

test.each(ORDERS)(
  '[CANVAS-6] a removed step comes back whole, though another moved it at the same time',
  (...order) => {
    const { a, b, meet } = apart((canvas) => add(canvas, 'a', { rows: 5 }), order)
    b.remove(new Set(['a']))
    a.move(new Map([['a', { x: 9, y: 9 }]]))
    meet()
    b.undoEdit()
    meet()
    expect(a.node('a')?.position).toEqual({ x: 0, y: 0 })
  },
)

test('when nothing of one’s own is left to undo, that is told', () => {
  const [a, b] = pair((canvas) => add(canvas, 'a', { rows: 5 }))
  b.setConfig('a', 'rows', 20)
  a.setConfig('a', 'rows', 30)
  let told = 0
  b.undo.on('stack-cleared', () => told++)
  b.undoEdit()
  expect(b.undo.undoStack).toHaveLength(0)
  expect(told).toBe(1)
  b.undoEdit()
  expect(told).toBe(1)
})

/** Something that a person does; every value says whose it is. `false`: it changes nothing. */
function act(canvas: CanvasDocument, random: Random, value: string): boolean {
  const id = random.oneOf([...canvas.nodes.keys(), 'a'])
  const steps = canvas.undo.undoStack.length
  const { set } = random.oneOf([...ACTS, ...ACTS, CONFIG, CONFIG])
  set(canvas, random, id, value)
  return canvas.undo.undoStack.length > steps
}

interface Act {
  set: (canvas: CanvasDocument, random: Random, id: string, value: string) => void
}

const CONFIG: Act = {
  set: (canvas, random, id, value) =>
    canvas.setConfig(id, random.oneOf(['rows', 'path']), random.oneOf([value, value, undefined])),
}
const TYPING: Act = {
  set: (canvas, random, id, value) => {
    const text = canvas.sharedText(id, 'query')
    if (!text) return
    const at = random.below(text.length + 1)
    if (random.below(2) === 0) canvas.edit(() => text.insert(at, value))
    else if (at < text.length) canvas.edit(() => text.delete(at, 1 + random.below(text.length - at)))
  },
}
const ACTS: Act[] = [
  CONFIG,
  TYPING,
  TYPING,
  { set: (canvas, random, _, value) => add(canvas, `n${value}`, { rows: value }, random.oneOf(['limit', 'sql'])) },
  { set: (canvas, _, id) => canvas.remove(new Set([id])) },
  { set: (canvas, random, id) => canvas.move(new Map([[id, { x: random.below(999), y: random.below(999) }]])) },
  { set: (canvas, random, id, value) => canvas.setNotes(id, random.oneOf(['', value])) },
  { set: (canvas, _, id, value) => canvas.setLabel(id, value) },
  { set: (canvas, random, id) => canvas.setDisabled([id], random.oneOf([true, false])) },
]

/** Every value of every step, by its place. */
function places(canvas: CanvasDocument): Map<string, unknown> {
  const all = new Map<string, unknown>()
  for (const id of canvas.nodes.keys()) {
    const { position, data } = canvas.node(id) ?? {}
    const { config = {}, ...rest } = data ?? {}
    for (const [key, value] of Object.entries({ position, ...rest, ...config })) all.set(`${id}.${key}`, value)
  }
  return all
}

test('one person alone undoes everything and does it again', () => {
  for (let seed = 0; seed < 100; seed++) {
    const random = new Random(seed)
    const [a] = pair((canvas) => add(canvas, 'a', { rows: 'first', path: 'first', query: 'text' }, 'sql'))
    const states = [a.doc.toJSON()]
    for (let step = 0; step < 12; step++) {
      if (act(a, random, `a${step}`)) states.push(a.doc.toJSON())
    }
    for (let round = 0; round < 2; round++) {
      for (const state of states.slice(0, -1).reverse()) {
        a.undoEdit()
        expect(a.doc.toJSON(), `seed ${seed}`).toEqual(state)
      }
      for (const state of states.slice(1)) {
        a.redoEdit()
        expect(a.doc.toJSON(), `seed ${seed}`).toEqual(state)
      }
    }
  }
})

test('[CANVAS-6] whatever two people do, nobody undoes a value of the other', () => {
  for (let seed = 0; seed < 250; seed++) {
    const random = new Random(seed)
    const people = pair((canvas) => add(canvas, 'a', { rows: 'first', path: 'first', query: 'text' }, 'sql'))
    /** Who touched a place last, with an edit, undo or redo. */
    const last = new Map<string, CanvasDocument>()
    for (let step = 0; step < 30; step++) {
      const who = random.oneOf(people)
      const other = who === people[0] ? people[1] : people[0]
      const mark = who === people[0] ? 'a' : 'b'
      const before = places(who)
      const move = random.oneOf(['act', 'act', 'undo', 'undo', 'redo'])
      if (move === 'act') act(who, random, `${mark}${step}`)
      else if (move === 'undo') who.undoEdit()
      else who.redoEdit()
      const after = places(who)
      for (const place of new Set([...before.keys(), ...after.keys()])) {
        const [was, is] = [before.get(place), after.get(place)]
        if (JSON.stringify(was) === JSON.stringify(is)) continue
        const [id = ''] = place.split('.')
        const stood = before.has(`${id}.label`) && after.has(`${id}.label`)
        const about = `seed ${seed}, step ${step}: ${move} by ${mark} of ${place}, ${was} to ${is}`
        if (move !== 'act' && stood && !place.endsWith('.query')) expect(last.get(place), about).not.toBe(other)
        // Both type in one text.
        if (place.endsWith('.query')) continue
        if (move === 'undo' && stood && typeof was === 'string') expect(was.startsWith(mark), about).toBe(true)
        last.set(place, who)
      }
      expect(other.doc.toJSON()).toEqual(who.doc.toJSON())
    }
  }
})

test('[CANVAS-6] an edit is undone at once to what was there before, whoever made that, and done again', () => {
  for (let seed = 0; seed < 150; seed++) {
    const random = new Random(seed)
    const people = pair((canvas) => add(canvas, 'a', { rows: 'first', path: 'first', query: 'text' }, 'sql'))
    for (let step = 0; step < 25; step++) {
      const who = random.oneOf(people)
      const before = who.doc.toJSON()
      if (!act(who, random, `${people.indexOf(who)} ${step}`)) continue
      const after = who.doc.toJSON()
      for (let round = random.below(3); round > 0; round--) {
        who.undoEdit()
        expect(who.doc.toJSON(), `seed ${seed}, step ${step}`).toEqual(before)
        if (random.below(4) === 0) break
        who.redoEdit()
        expect(who.doc.toJSON(), `seed ${seed}, step ${step}`).toEqual(after)
      }
    }
  }
})

test('[CANVAS-6] whatever two people type, undo takes no character of the other away', () => {
  for (let seed = 0; seed < 150; seed++) {
    const random = new Random(seed)
    const people = pair((canvas) => add(canvas, 'a', { query: 'text' }, 'sql'))
    const typed = (canvas: CanvasDocument, mark: string) => `${canvas.configValue('a', 'query')}`.split(mark).length
    for (let step = 0; step < 30; step++) {
      const [who, other] = random.oneOf([
        [0, 1],
        [1, 0],
      ] as const)
      const [canvas, theirs] = [people[who], 'AB'.charAt(other)]
      const before = typed(canvas, theirs)
      if (random.below(3) > 0) TYPING.set(canvas, random, 'a', 'AB'.charAt(who).repeat(3))
      else {
        canvas.undoEdit()
        expect(typed(canvas, theirs), `seed ${seed}, step ${step}`).toBeGreaterThanOrEqual(before)
      }
    }
  }
})
