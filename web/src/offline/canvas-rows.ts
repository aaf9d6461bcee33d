/** The rows of one canvas in the device's database. Each function is one transaction. */
import type { Touch } from '../canvas/sync/touches'
import type { Database, KeptCanvas, KeptTouches, KeptUpdate } from './database'
import { PAGE } from './page'

/** Canvases that are kept; those with unsaved edits besides. */
const CANVASES_MAX = 30

export class CanvasRows {
  readonly #database: Database
  readonly #workflow: string

  constructor(database: Database, workflow: string) {
    this.#database = database
    this.#workflow = workflow
  }

  canvas(): Promise<KeptCanvas | undefined> {
    return this.#database.get('canvases', this.#workflow)
  }

  async describe(epoch: number, mayEdit: boolean): Promise<void> {
    await this.#database.put('canvases', { workflow: this.#workflow, epoch, mayEdit, opened_at: Date.now() })
  }

  /** The updates written after one, and all that pages have left unsaved. */
  async after(seen: number): Promise<{ updates: KeptUpdate[]; unsaved: KeptTouches[] }> {
    const transaction = this.#database.transaction(['updates', 'unsaved'])
    const updates = await transaction.objectStore('updates').index('workflow').getAll(this.#writesAfter(seen))
    const unsaved = await transaction.objectStore('unsaved').index('workflow').getAll(this.#workflow)
    await transaction.done
    return { updates, unsaved }
  }

  async append(epoch: number, update: Uint8Array, touches: readonly Touch[]): Promise<void> {
    const transaction = this.#database.transaction(['updates', 'unsaved'], 'readwrite')
    void transaction.objectStore('updates').add({ workflow: this.#workflow, epoch, page: PAGE, update })
    if (touches.length > 0) {
      void transaction.objectStore('unsaved').add({ workflow: this.#workflow, page: PAGE, touches })
    }
    await transaction.done
  }

  /**
   * Puts one update in the place of all that there are, and these touches in the place of those of some pages.
   * `merged` is given what was written after `seen` and answers with everything.
   */
  async rewrite(
    epoch: number,
    seen: number,
    merged: (unseen: readonly KeptUpdate[]) => Uint8Array,
    touches: readonly Touch[],
    pages: ReadonlySet<string>,
  ): Promise<void> {
    const transaction = this.#database.transaction(['updates', 'unsaved'], 'readwrite')
    const updates = transaction.objectStore('updates')
    const update = merged(await updates.index('workflow').getAll(this.#writesAfter(seen)))
    for (const key of await updates.index('workflow').getAllKeys(this.#writesAfter(0))) void updates.delete(key)
    void updates.add({ workflow: this.#workflow, epoch, page: PAGE, update })
    const unsaved = transaction.objectStore('unsaved')
    for (const { id, page } of await unsaved.index('workflow').getAll(this.#workflow)) {
      if (id !== undefined && pages.has(page)) void unsaved.delete(id)
    }
    if (touches.length > 0) void unsaved.add({ workflow: this.#workflow, page: PAGE, touches })
    await transaction.done
  }

  async deleteUnsaved(pages: ReadonlySet<string>): Promise<void> {
    const { store, done } = this.#database.transaction('unsaved', 'readwrite')
    for (const { id, page } of await store.index('workflow').getAll(this.#workflow)) {
      if (id !== undefined && pages.has(page)) void store.delete(id)
    }
    await done
  }

  async remove(): Promise<void> {
    const transaction = this.#database.transaction(['canvases', 'updates', 'unsaved'], 'readwrite')
    const [updates, unsaved] = [transaction.objectStore('updates'), transaction.objectStore('unsaved')]
    void transaction.objectStore('canvases').delete(this.#workflow)
    for (const key of await updates.index('workflow').getAllKeys(this.#writesAfter(0))) void updates.delete(key)
    for (const key of await unsaved.index('workflow').getAllKeys(this.#workflow)) void unsaved.delete(key)
    await transaction.done
  }

  /** The canvases that were opened longest ago go, except where something is unsaved. */
  async prune(): Promise<void> {
    const canvases = await this.#database.getAll('canvases')
    if (canvases.length <= CANVASES_MAX) return
    const unsaved = new Set((await this.#database.getAll('unsaved')).map(({ workflow }) => workflow))
    const idle = canvases.filter(({ workflow }) => !unsaved.has(workflow) && workflow !== this.#workflow)
    idle.sort((a, b) => a.opened_at - b.opened_at)
    for (const { workflow } of idle.slice(0, canvases.length - CANVASES_MAX)) {
      await new CanvasRows(this.#database, workflow).remove()
    }
  }

  #writesAfter(id: number): IDBKeyRange {
    return IDBKeyRange.bound([this.#workflow, id], [this.#workflow, Number.POSITIVE_INFINITY], true)
  }
}
