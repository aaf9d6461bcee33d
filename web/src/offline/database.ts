/**
 * What this device keeps for working without the server: one IndexedDB database for each user, so that nobody reads
 * another's, and so that signing out takes everything away at once. Origins separate servers.
 *
 * A browser may refuse (private windows, a full disk): then nothing is kept, and who asks is told so.
 */
import { type DBSchema, deleteDB, type IDBPDatabase, openDB } from 'idb'
import type { Touch } from '../canvas/sync/touches'

const VERSION = 1
/** A browser whose storage does not open by then goes without: it must never hold up the page. */
const OPEN_MS_MAX = 4_000

/** A canvas that is kept. */
export interface KeptCanvas {
  workflow: string
  epoch: number
  mayEdit: boolean
  opened_at: number
}

/** One write: an update of the document, of one rebuild of it. */
export interface KeptUpdate {
  id?: number
  workflow: string
  epoch: number
  /** The page that wrote it. */
  page: string
  update: Uint8Array
}

/** Places that a page has edited and no server has acknowledged. */
export interface KeptTouches {
  id?: number
  workflow: string
  page: string
  touches: readonly Touch[]
}

interface Schema extends DBSchema {
  canvases: { key: string; value: KeptCanvas }
  updates: { key: number; value: KeptUpdate; indexes: { workflow: [string, number] } }
  unsaved: { key: number; value: KeptTouches; indexes: { workflow: string } }
  /** The last answers of the API to what the pages ask first. */
  answers: { key: string; value: unknown }
}

export type Database = IDBPDatabase<Schema>

let opened: { user: string; database: Promise<Database | undefined> } | undefined

/** The database of a user. `undefined`: this browser keeps nothing. */
export function databaseOf(user: string): Promise<Database | undefined> {
  if (opened?.user !== user) {
    void opened?.database.then((database) => database?.close())
    const late = new Promise<undefined>((resolve) => setTimeout(resolve, OPEN_MS_MAX))
    opened = { user, database: Promise.race([open(user), late]).catch(() => undefined) }
  }
  return opened.database
}

/** Takes away everything that is kept for a user. */
export async function forgetUser(user: string): Promise<void> {
  const before = opened
  opened = undefined
  await before?.database.then((database) => database?.close())
  await remove(user).catch(() => undefined)
}

/** The workflows in which this device has changes that no server has. */
export async function unsavedWorkflows(user: string): Promise<ReadonlySet<string>> {
  const database = await databaseOf(user)
  const kept = (await database?.getAll('unsaved').catch(() => undefined)) ?? []
  return new Set(kept.map(({ workflow }) => workflow))
}

// Both are async because a browser that blocks storage throws where others refuse.

async function remove(user: string): Promise<void> {
  await deleteDB(nameOf(user))
}

async function open(user: string): Promise<Database> {
  const opening = openDB<Schema>(nameOf(user), VERSION, {
    upgrade(database) {
      database.createObjectStore('canvases', { keyPath: 'workflow' })
      const updates = database.createObjectStore('updates', { keyPath: 'id', autoIncrement: true })
      updates.createIndex('workflow', ['workflow', 'id'])
      const unsaved = database.createObjectStore('unsaved', { keyPath: 'id', autoIncrement: true })
      unsaved.createIndex('workflow', 'workflow')
      database.createObjectStore('answers')
    },
    // Another page signs out, or a later version of the application opens it.
    blocking: () => void opening.then((database) => database.close()),
    terminated: () => {
      if (opened?.user === user) opened = undefined
    },
  })
  return opening
}

function nameOf(user: string): string {
  return `troupe/${user}`
}
