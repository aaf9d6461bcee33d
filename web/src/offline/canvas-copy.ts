/**
 * The copy of one canvas on this device: every update that the document takes, and which of the edits made here no
 * server has acknowledged. Survives the page; what it holds is sent when the canvas is next opened with a connection.
 *
 * Invariants: an edit and the places it touched are written in one transaction; `kept` is only said of what has been
 * written; updates of one rebuild of the document are never mixed with another's. (y-indexeddb does not tell whether
 * its writes succeed, which is why this is not it.)
 */
import * as Y from 'yjs'
import { createStore } from 'zustand/vanilla'
import { isLocal, KEPT, type Touch } from '../canvas/sync/touches'
import type { Unsaved } from '../canvas/sync/unsaved'
import { CanvasRows } from './canvas-rows'
import { databaseOf, type KeptUpdate } from './database'
import { openPages, PAGE } from './page'

/** What others do is written together with what comes within this time. */
const GATHER_MS = 1_000
/** After a refused write, such as for want of room. */
const AGAIN_MS = 5_000
/** More writes than this are rewritten as one. */
const WRITES_MAX = 200

export interface Kept {
  epoch: number
  mayEdit: boolean
  updates: readonly Uint8Array[]
  unsaved: readonly Touch[]
}

export class CanvasCopy {
  /** Whether everything that was edited here is written on this device. */
  readonly kept = createStore(() => ({ all: true }))

  readonly #rows: CanvasRows
  #epoch: number | undefined
  #doc: Y.Doc | undefined
  #unsaved: Unsaved | undefined
  #gathered: Uint8Array[] = []
  /** Something of what is gathered was edited here. */
  #urgent = false
  #touches: Touch[] = []
  /** The places that are noted as unsaved. What a text was before is what it was before the first edit: kept once. */
  readonly #noted = new Set<string>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #writing: Promise<void> | undefined
  /** The newest write that was read. */
  #seen = 0
  #writes = 0
  /** A write was refused: the next one writes everything. */
  #behind = false
  /** This page, and those that are gone and whose unsaved edits it has taken over. */
  #pages = new Set([PAGE])

  private constructor(rows: CanvasRows) {
    this.#rows = rows
  }

  /** `undefined`: this browser keeps nothing. */
  static async open(user: string, workflow: string): Promise<CanvasCopy | undefined> {
    const database = await databaseOf(user)
    return database && new CanvasCopy(new CanvasRows(database, workflow))
  }

  /** What is kept. `undefined`: nothing yet. */
  async load(): Promise<Kept | undefined> {
    const canvas = await this.#rows.canvas().catch(() => undefined)
    if (!canvas) return undefined
    this.#epoch = canvas.epoch
    const { updates, unsaved } = await this.#news()
    return updates.length === 0 ? undefined : { epoch: canvas.epoch, mayEdit: canvas.mayEdit, updates, unsaved }
  }

  /** Writes what a document takes from here on; what it was loaded from is not written again. */
  follow(doc: Y.Doc, unsaved: Unsaved): void {
    this.#doc = doc
    this.#unsaved = unsaved
    doc.on('update', this.#onUpdate)
    addEventListener('pagehide', this.#onPageHide)
  }

  /** Ends with what it has. */
  close(): void {
    this.#unfollow()
    void this.#flush()
  }

  /** What the server says of this session: only now it is known of which rebuild the document is. */
  async describe(epoch: number, mayEdit: boolean): Promise<void> {
    this.#epoch = epoch
    await this.#rows.describe(epoch, mayEdit).catch(() => undefined)
    await this.#rows.prune().catch(() => undefined)
    await this.#flush()
  }

  /** Takes in what other pages have written. Returns the unsaved edits of those that are gone. */
  async refresh(): Promise<readonly Touch[]> {
    const doc = this.#doc
    if (!doc || this.#epoch === undefined) return []
    const { updates, unsaved } = await this.#news()
    for (const update of updates) Y.applyUpdate(doc, update, KEPT)
    return unsaved
  }

  /** Called when the server's store has everything: nothing is left to send. */
  async saved(): Promise<void> {
    await this.#writing
    if (this.#unsaved?.size !== 0) return
    const pages = this.#pages
    this.#pages = new Set([PAGE])
    this.#noted.clear()
    await this.#rows.deleteUnsaved(pages).catch(() => undefined)
    if (this.#writes > WRITES_MAX) await this.#write(() => this.#rewrite())
  }

  /** Puts another rebuild of the document in the place of this one, with what it holds unsaved, in one step. */
  async replace(doc: Y.Doc, unsaved: Unsaved, epoch: number, mayEdit: boolean): Promise<void> {
    this.#unfollow()
    this.#epoch = epoch
    this.#seen = 0
    this.#forget()
    this.follow(doc, unsaved)
    await this.#write(() => this.#rewrite())
    await this.#rows.describe(epoch, mayEdit).catch(() => undefined)
  }

  /** Nothing of this canvas stays on the device. */
  async remove(): Promise<void> {
    this.#unfollow()
    await this.#writing
    await this.#rows.remove().catch(() => undefined)
  }

  #unfollow(): void {
    this.#doc?.off('update', this.#onUpdate)
    removeEventListener('pagehide', this.#onPageHide)
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  readonly #onUpdate = (update: Uint8Array, origin: unknown, _: Y.Doc, transaction: Y.Transaction) => {
    if (origin === KEPT) return
    const local = isLocal(transaction)
    if (local) this.kept.setState({ all: false })
    if (this.#behind) return // What comes now is in the next write anyway.
    this.#gathered.push(update)
    if (!local) return this.#flushIn(GATHER_MS)
    this.#urgent = true
    for (const touch of this.#unsaved?.touchedBy(transaction) ?? []) if (this.#note(touch)) this.#touches.push(touch)
    void this.#flush()
  }

  /** Whether it was not noted before. */
  #note({ path }: Touch): boolean {
    const place = JSON.stringify(path)
    if (this.#noted.has(place)) return false
    this.#noted.add(place)
    return true
  }

  readonly #onPageHide = () => void this.#flush()

  #flushIn(ms: number): void {
    this.#timer ??= setTimeout(() => void this.#flush(), ms)
  }

  /** One write at a time; what comes meanwhile is in the next one. */
  async #flush(): Promise<void> {
    if (this.#writing || this.#epoch === undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#gathered.length === 0 && !this.#behind) return
    await this.#write(() => (this.#behind ? this.#rewrite() : this.#append()))
    if (this.#behind) this.#flushIn(AGAIN_MS)
    else if (this.#urgent) void this.#flush()
    else if (this.#gathered.length > 0) this.#flushIn(GATHER_MS)
  }

  async #write(write: () => Promise<void>): Promise<void> {
    await this.#writing
    this.#writing = write()
      .then(() => {
        this.#behind = false
        if (!this.#urgent) this.kept.setState({ all: true })
      })
      .catch(() => {
        this.#behind = true
        this.kept.setState({ all: this.#unsaved?.size === 0 })
      })
    await this.#writing
    this.#writing = undefined
  }

  async #append(): Promise<void> {
    const [update, touches] = [Y.mergeUpdates(this.#gathered), this.#touches]
    this.#forget()
    this.#writes++
    await this.#rows.append(this.#epoch ?? 0, update, touches)
  }

  /** Everything as one write, in the place of all that came before. */
  async #rewrite(): Promise<void> {
    const doc = this.#doc
    if (!doc) return
    const everything = (unseen: readonly KeptUpdate[]) => {
      for (const { update } of this.#foreign(unseen)) Y.applyUpdate(doc, update, KEPT)
      return Y.encodeStateAsUpdate(doc)
    }
    const touches = this.#unsaved?.touches() ?? []
    this.#forget()
    this.#noted.clear()
    for (const touch of touches) this.#note(touch)
    this.#writes = 1
    await this.#rows.rewrite(this.#epoch ?? 0, this.#seen, everything, touches, this.#pages)
  }

  /** What was gathered is being written. */
  #forget(): void {
    this.#gathered = []
    this.#touches = []
    this.#urgent = false
  }

  async #news(): Promise<{ updates: Uint8Array[]; unsaved: Touch[] }> {
    const open = await openPages()
    const { updates, unsaved } = await this.#rows.after(this.#seen).catch(() => ({ updates: [], unsaved: [] }))
    this.#seen = updates.at(-1)?.id ?? this.#seen
    this.#writes += updates.length
    const orphans = unsaved.filter(({ page }) => !open.has(page) && !this.#pages.has(page))
    for (const { page } of orphans) this.#pages.add(page)
    return {
      updates: this.#foreign(updates).map(({ update }) => update),
      unsaved: orphans.flatMap(({ touches }) => touches),
    }
  }

  /** Other pages' updates of the same rebuild. */
  #foreign(updates: readonly KeptUpdate[]): KeptUpdate[] {
    return updates.filter(({ epoch, page }) => epoch === this.#epoch && page !== PAGE)
  }
}
