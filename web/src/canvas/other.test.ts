import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { Random } from '../testing/random'
import { otherOf } from './other'

const user = { id: 'u', name: 'Bob', color: '#ff0000' }
const doc = new Y.Doc()
doc.clientID = 7
doc.getText('t').insert(0, 'select 1')

const NUMBERS = [0, 1, 7, 8, -1, -8, 0.5, 2 ** 31, 2 ** 53 - 1, 2 ** 53, 1e308, -1e308, '7', null, undefined, {}, []]

function hostile(random: Random, depth = 0): unknown {
  if (depth > 4 || random.below(3) === 0) return random.oneOf(NUMBERS)
  const inside = () => hostile(random, depth + 1)
  return random.oneOf<() => unknown>([
    () => ({ client: inside(), clock: inside() }),
    () => ({ item: inside(), type: inside(), tname: random.oneOf([null, null, 't']), assoc: inside() }),
    () => ({ anchor: inside(), head: inside() }),
    () => ({ x: inside(), y: inside() }),
    () => ({ a: inside(), length: inside() }),
    () => [inside(), inside()],
  ])()
}

test('[SYNC-9] whatever another session says, it can be drawn', () => {
  for (let seed = 0; seed < 20_000; seed++) {
    const random = new Random(seed)
    const parts = ['cursor', 'selection', 'drag', 'field', 'textCursor', 'user'].map((key) => [key, hostile(random)])
    const state = { ...Object.fromEntries(parts), ...(random.below(8) === 0 ? {} : { user }) }
    const other = otherOf(1, random.below(50) === 0 ? hostile(random) : state, undefined)
    const points = [other?.cursor, ...Object.values(other?.drag ?? {})]
    for (const point of points) if (point) expect(Math.abs(point.x) + Math.abs(point.y)).toBeLessThan(1e8)
    for (const id of other?.selection ?? []) expect(typeof id).toBe('string')
    for (const place of other?.caret ? [other.caret.anchor, other.caret.head] : []) {
      expect(() => Y.createAbsolutePositionFromRelativePosition(place, doc), `seed ${seed}`).not.toThrow()
    }
  }
})

test.each([{ client: 7, clock: -1 }, { client: 7, clock: 0.5 }, { client: -7, clock: 1 }, { client: 7 }])(
  '[SYNC-9] a caret at %j is none',
  (item) => {
    expect(otherOf(1, { user, textCursor: { anchor: { item }, head: { item } } }, undefined)?.caret).toBeNull()
  },
)

test('[SYNC-9] a caret in the text stays where it is, and nothing else of what was said goes on', () => {
  const place = Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(doc.getText('t'), 3))
  const said = { item: place.item, type: null, tname: null, assoc: 0, deep: [[[]]] }
  const caret = otherOf(1, { user, textCursor: { anchor: said, head: said } }, undefined)?.caret
  expect(caret && Y.createAbsolutePositionFromRelativePosition(caret.anchor, doc)?.index).toBe(3)
  expect(JSON.stringify(caret)).not.toContain('deep')
  expect(otherOf(1, { user, cursor: { x: 1, y: 2, deep: [] } }, undefined)?.cursor).toEqual({ x: 1, y: 2 })
  expect(otherOf(1, { user, cursor: { x: 1e300, y: 2 } }, undefined)?.cursor).toBeNull()
})
