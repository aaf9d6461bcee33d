import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { CanvasDocument } from '../document'
import { carry, differing } from './carry'
import { mergeInto } from './text-merge'
import { KEPT, REMOTE } from './touches'
import { Unsaved } from './unsaved'

/** The same canvas under other ids, as a rebuild on the server makes it. */
function rebuilt(doc: Y.Doc): CanvasDocument {
  const fresh = new Y.Doc()
  for (const root of ['nodes', 'edges']) {
    for (const [id, entry] of doc.getMap<Y.Map<unknown>>(root)) fresh.getMap(root).set(id, entry.clone())
  }
  return new CanvasDocument(undefined, fresh)
}

function canvas() {
  const mine = new CanvasDocument(() => ({ all: new Set(['query']), required: [] }))
  mine.insert({ nodes: [node('sql', { query: 'select 1', limit: 5 }), node('other', {})], edges: [] })
  return { mine, unsaved: new Unsaved(mine.doc) }
}

function node(id: string, config: Record<string, unknown>) {
  const data = { label: id, nodeType: 'sql', config }
  return { id, type: 'custom-node' as const, position: { x: 0, y: 0 }, data }
}

/** Notes what is edited, as the provider does. */
function editing(mine: CanvasDocument, unsaved: Unsaved, edit: () => void): void {
  const note = (_: Uint8Array, _origin: unknown, _doc: Y.Doc, transaction: Y.Transaction) =>
    unsaved.add(unsaved.touchedBy(transaction), null)
  mine.doc.on('update', note)
  edit()
  mine.doc.off('update', note)
}

describe('unsaved edits', () => {
  test('are the places that were edited here, each once', () => {
    const { mine, unsaved } = canvas()
    editing(mine, unsaved, () => {
      mine.move(new Map([['sql', { x: 1, y: 1 }]]))
      mine.move(new Map([['sql', { x: 2, y: 2 }]]))
      mine.setConfig('sql', 'limit', 6)
      mine.sharedText('sql', 'query')?.insert(8, '1')
      mine.insert({ nodes: [node('new', {})], edges: [] })
      mine.setLabel('new', 'part of what is new')
    })
    expect(unsaved.touches()).toEqual([
      { path: ['nodes', 'sql', 'position'] },
      { path: ['nodes', 'sql', 'data', 'config', 'limit'] },
      { path: ['nodes', 'sql', 'data', 'config', 'query'], base: 'select 1' },
      { path: ['nodes', 'new'] },
    ])
    expect(unsaved.size).toBe(4)
  })

  test('a text knows what it was before, deletions included', () => {
    const { mine, unsaved } = canvas()
    editing(mine, unsaved, () =>
      mine.doc.transact(() => {
        mine.sharedText('sql', 'query')?.delete(2, 4)
        mine.sharedText('sql', 'query')?.insert(0, 'x')
      }),
    )
    expect(unsaved.touches()[0]?.base).toBe('select 1')
  })

  test.each([REMOTE, KEPT])('edits of others are not among them', (origin) => {
    const { mine, unsaved } = canvas()
    editing(mine, unsaved, () => mine.doc.transact(() => mine.nodes.delete('sql'), origin))
    expect(unsaved.size).toBe(0)
  })

  test('an acknowledgement takes what its frames carried and nothing later', () => {
    const { unsaved } = canvas()
    const [first, second] = [{ path: ['nodes', 'a'] }, { path: ['nodes', 'b'] }]
    unsaved.add([first, second], 1)
    unsaved.add([second], 2)
    unsaved.acknowledged(1)
    expect(unsaved.touches()).toEqual([second])
    unsaved.uncarried()
    unsaved.acknowledged(9)
    expect(unsaved.touches()).toEqual([second])
    unsaved.carriedBy(1)
    unsaved.acknowledged(1)
    expect(unsaved.size).toBe(0)
  })
})

describe('carrying them over to a rebuilt canvas', () => {
  /** [SYNC-15] Clients reload and lose nothing. */
  test('[SYNC-15] they are all there, and what others did since is too', () => {
    const { mine, unsaved } = canvas()
    const fresh = rebuilt(mine.doc)
    editing(mine, unsaved, () => {
      mine.move(new Map([['sql', { x: 40, y: 50 }]]))
      mine.sharedText('sql', 'query')?.insert(7, 'a, ')
      mine.setConfig('sql', 'limit', undefined)
      mine.insert({ nodes: [node('new', { query: 'select 2' })], edges: [] })
      mine.remove(new Set(['other']))
    })
    fresh.sharedText('sql', 'query')?.insert(8, ' from flights')
    fresh.setLabel('sql', 'Flights')

    carry(mine.doc, fresh.doc, unsaved.touches())
    expect(fresh.node('sql')).toMatchObject({
      position: { x: 40, y: 50 },
      data: { label: 'Flights', config: { query: 'select a, 1 from flights' } },
    })
    expect(fresh.node('sql')?.data.config).not.toHaveProperty('limit')
    expect(fresh.sharedText('new', 'query')?.toString()).toBe('select 2')
    expect(fresh.nodes.has('other')).toBe(false)
    expect(differing(mine.doc, fresh.doc, unsaved.touches())).toEqual([['nodes', 'sql', 'data', 'config', 'query']])
  })

  test('an edit of what somebody has deleted is dropped', () => {
    const { mine, unsaved } = canvas()
    const fresh = rebuilt(mine.doc)
    editing(mine, unsaved, () => mine.setLabel('sql', 'mine'))
    fresh.remove(new Set(['sql']))
    carry(mine.doc, fresh.doc, unsaved.touches())
    expect(fresh.nodes.has('sql')).toBe(false)
  })

  test('what had arrived without our knowledge is not written twice', () => {
    const { mine, unsaved } = canvas()
    editing(mine, unsaved, () => {
      mine.sharedText('sql', 'query')?.insert(8, '23')
      mine.insert({ nodes: [node('new', {})], edges: [] })
    })
    const fresh = rebuilt(mine.doc)
    const before = Y.encodeStateAsUpdate(fresh.doc)
    carry(mine.doc, fresh.doc, unsaved.touches())
    expect(fresh.sharedText('sql', 'query')?.toString()).toBe('select 123')
    expect(Y.encodeStateAsUpdate(fresh.doc)).toEqual(before)
  })
})

describe('merging texts', () => {
  const merged = (base: string, mine: string, theirs: string) => {
    const text = new Y.Doc().getText('t')
    text.insert(0, theirs)
    mergeInto(text, base, mine)
    return text.toString()
  }

  test.each([
    ['abc', 'abc', 'xabc', 'xabc'],
    ['abc', 'abcd', 'abc', 'abcd'],
    ['one two three', 'one 2 three', 'zero one two three four', 'zero one 2 three four'],
    ['one two three', 'one three', 'one two three!', 'one three!'],
    ['', 'mine', 'theirs', 'theirsmine'],
    ['ab', 'aXYb', 'aXb', 'aXYb'],
    ['ab', 'aXb', 'aXb', 'aXb'],
    ['abc', '', 'abc', ''],
  ])('%s: mine %s, theirs %s, together %s', (base, mine, theirs, together) => {
    expect(merged(base, mine, theirs)).toBe(together)
  })
})
