// @vitest-environment jsdom
import 'fake-indexeddb/auto'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import type { CanvasCopy } from './canvas-copy'

const PLACE = { path: ['nodes', 'a'] }

/** One page of the browser: modules of its own on the shared database. */
async function page(alive: Set<string> = new Set()) {
  vi.resetModules()
  const { CanvasCopy } = await import('./canvas-copy')
  const { PAGE } = await import('./page')
  const database = await import('./database')
  const { KEPT, REMOTE } = await import('../canvas/sync/touches')
  const { Unsaved } = await import('../canvas/sync/unsaved')
  alive.add(PAGE)
  locks = alive
  const open = async (user = 'anna', workflow = 'w') => {
    const copy = await CanvasCopy.open(user, workflow)
    if (!copy) throw new Error('nothing is kept')
    const kept = await copy.load()
    const doc = new Y.Doc()
    for (const update of kept?.updates ?? []) Y.applyUpdate(doc, update, KEPT)
    const unsaved = new Unsaved(doc)
    unsaved.add(kept?.unsaved ?? [], null)
    // As the provider notes them.
    doc.on('update', (_update, origin, _doc, transaction) => {
      if (origin !== REMOTE && origin !== KEPT) unsaved.add(unsaved.touchedBy(transaction), null)
    })
    copy.follow(doc, unsaved)
    return { copy, doc, unsaved, kept, nodes: doc.getMap('nodes') }
  }
  return { open, database, PAGE, Unsaved }
}

let locks: Set<string>

beforeEach(async () => {
  locks = new Set()
  vi.stubGlobal('navigator', {
    locks: {
      request: () => new Promise(() => undefined),
      query: async () => ({ held: [...locks].map((name) => ({ name: `troupe.page.${name}` })) }),
    },
  })
  for (const { name } of await indexedDB.databases()) if (name) indexedDB.deleteDatabase(name)
})

const written = ({ kept }: CanvasCopy) =>
  new Promise<void>((resolve) => {
    const look = ({ all }: { all: boolean }) => all && resolve()
    kept.subscribe(look)
    look(kept.getState())
  })

describe('[SYNC-16] the copy on this device', () => {
  test('has what was edited, and what of it no server has', async () => {
    const first = await (await page()).open()
    await first.copy.describe(3, true)
    first.nodes.set('a', 1)
    expect(first.copy.kept.getState().all).toBe(false)
    await written(first.copy)

    const second = await (await page()).open()
    expect(second.kept).toMatchObject({ epoch: 3, mayEdit: true, unsaved: [PLACE] })
    expect(second.nodes.toJSON()).toEqual({ a: 1 })
  })

  test('is written only once it is known of which rebuild it is', async () => {
    const first = await (await page()).open()
    first.nodes.set('a', 1)
    await new Promise((resolve) => setTimeout(resolve))
    expect(first.copy.kept.getState().all).toBe(false)
    expect((await (await page()).open()).kept).toBeUndefined()
    await first.copy.describe(0, true)
    await written(first.copy)
    expect((await (await page()).open()).kept).toBeDefined()
  })

  test('forgets what is unsaved when the server has it', async () => {
    const first = await (await page()).open()
    await first.copy.describe(0, true)
    first.nodes.set('a', 1)
    await written(first.copy)
    await first.copy.saved()
    expect((await (await page()).open()).kept?.unsaved).toEqual([PLACE])

    first.unsaved.carriedBy(1)
    first.unsaved.acknowledged(1)
    await first.copy.saved()
    const second = await (await page()).open()
    expect(second.kept?.unsaved).toEqual([])
    expect(second.nodes.toJSON()).toEqual({ a: 1 })
  })

  test('keeps what a text was before its first unsaved edit, once, and every edit', async () => {
    const { open, database, PAGE } = await page()
    const { copy, nodes, unsaved } = await open()
    await copy.describe(0, true)
    const text = new Y.Text('before')
    nodes.set('a', text)
    await written(copy)
    unsaved.carriedBy(1)
    unsaved.acknowledged(1)
    await copy.saved()
    for (const key of ['x', 'y', 'z']) {
      text.insert(0, key)
      expect(copy.kept.getState().all).toBe(false)
      if (key !== 'y') await written(copy)
    }
    const rows = await (await database.databaseOf('anna'))?.getAll('unsaved')
    const touch = { path: ['nodes', 'a'], base: 'before' }
    expect(rows?.map(({ page, touches }) => ({ page, touches }))).toEqual([{ page: PAGE, touches: [touch] }])
    const later = await (await page()).open()
    expect(later.kept?.unsaved).toEqual([touch])
    expect(String(later.nodes.get('a'))).toBe(text.toString())

    unsaved.carriedBy(2)
    unsaved.acknowledged(2)
    await copy.saved()
    text.insert(0, 'w')
    await written(copy)
    expect((await (await page()).open()).kept?.unsaved).toEqual([{ path: ['nodes', 'a'], base: 'zyxbefore' }])
  })

  test('is nobody else’s, and is gone when its user signs out', async () => {
    const { open, database } = await page()
    const mine = await open('anna')
    await mine.copy.describe(0, true)
    mine.nodes.set('a', 1)
    await written(mine.copy)
    expect((await open('ben')).kept).toBeUndefined()
    expect(await database.unsavedWorkflows('anna')).toEqual(new Set(['w']))
    await database.forgetUser('anna')
    expect((await open('anna')).kept).toBeUndefined()
  })

  test('a browser that blocks storage altogether holds up nothing', async () => {
    const blocked = () => {
      throw new DOMException('blocked', 'SecurityError')
    }
    vi.spyOn(indexedDB, 'open').mockImplementation(blocked)
    vi.spyOn(indexedDB, 'deleteDatabase').mockImplementation(blocked)
    const { database } = await page()
    const { CanvasCopy } = await import('./canvas-copy')
    expect(await CanvasCopy.open('anna', 'w')).toBeUndefined()
    expect(await database.unsavedWorkflows('anna')).toEqual(new Set())
    await database.forgetUser('anna')
  })

  test('a refused write is told, and the next one writes everything', async () => {
    const { copy, nodes } = await (await page()).open()
    await copy.describe(0, true)
    nodes.set('a', 1)
    await written(copy)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const full = vi.spyOn(IDBObjectStore.prototype, 'add').mockImplementation(() => {
      throw new DOMException('no room', 'QuotaExceededError')
    })
    nodes.set('b', 2)
    await vi.waitFor(() => expect(full).toHaveBeenCalled())
    await vi.advanceTimersByTimeAsync(100)
    expect(copy.kept.getState().all).toBe(false)
    nodes.set('c', 3)
    full.mockRestore()
    await vi.advanceTimersByTimeAsync(6_000)
    vi.useRealTimers()
    await written(copy)
    const later = await (await page()).open()
    expect(later.nodes.toJSON()).toEqual({ a: 1, b: 2, c: 3 })
    expect(later.kept?.unsaved).toHaveLength(3)
  })

  test('many writes become one', async () => {
    const { copy, nodes, unsaved } = await (await page()).open()
    await copy.describe(0, true)
    for (let count = 0; count < 250; count++) {
      nodes.set('a', count)
      await written(copy)
    }
    unsaved.carriedBy(1)
    unsaved.acknowledged(1)
    await copy.saved()
    const later = await (await page()).open()
    expect(later.kept?.updates).toHaveLength(1)
    expect(later.nodes.toJSON()).toEqual({ a: 249 })
  })
})

describe('[SYNC-16] two pages of one browser', () => {
  test('what one leaves behind the other takes over, once the first is gone', async () => {
    const alive = new Set<string>()
    const first = await page(alive)
    const left = await first.open()
    await left.copy.describe(0, true)
    const second = await (await page(alive)).open()
    await second.copy.describe(0, true)
    left.nodes.set('a', 1)
    await written(left.copy)

    expect(await second.copy.refresh()).toEqual([])
    expect(second.nodes.toJSON()).toEqual({ a: 1 })
    alive.delete(first.PAGE)
    const adopted = await second.copy.refresh()
    expect(adopted).toEqual([PLACE])
    second.unsaved.add(adopted, 1)
    second.unsaved.acknowledged(1)
    await second.copy.saved()
    expect((await (await page()).open()).kept?.unsaved).toEqual([])
  })

  test('[SYNC-15] updates of a former rebuild are not mixed with those of the next', async () => {
    const alive = new Set<string>()
    const { open, Unsaved } = await page(alive)
    const first = await open()
    await first.copy.describe(1, true)
    const second = await (await page(alive)).open()
    await second.copy.describe(1, true)
    const rebuilt = new Y.Doc()
    rebuilt.getMap('nodes').set('fresh', 1)
    await first.copy.replace(rebuilt, new Unsaved(rebuilt), 2, true)
    second.nodes.set('old', 1)
    await written(second.copy)

    const third = await (await page()).open()
    expect(third.kept?.epoch).toBe(2)
    expect(third.nodes.toJSON()).toEqual({ fresh: 1 })
  })
})
