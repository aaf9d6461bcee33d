/**
 * Keeps one canvas open: joins it to the copy on this device, and puts a fresh document in the place of one that the
 * server will not merge any more, without losing what was edited [SYNC-15] or pretending that it was taken [SYNC-10].
 *
 * What is shown stays until its successor is there, so nothing flickers: selection, view and panels go on.
 */
import * as Y from 'yjs'
import { createStore } from 'zustand/vanilla'
import { backoffMs } from '../api/backoff'
import { CanvasCopy, type Kept } from '../offline/canvas-copy'
import type { CanvasDocument } from './document'
import { CanvasSession, type SessionOptions } from './session'
import type { Known, Stale } from './sync/provider'
import { KEPT, type Path, type Touch } from './sync/touches'

/** The server says that there is nothing for this person here. */
const NOT_YOURS = [4403, 4404]
/** The screen shows the fresh document by then. */
const FOLLOWED_MS = 100
/** Saved is written down when it has lasted, not between two keystrokes. */
const SETTLED_MS = 300

export interface HostOptions extends SessionOptions {
  workflow: string
  /** A fresh document was put in the place of another. `lost`: edits that the server did not take, kept as `file`. */
  onReplaced: (why: Stale, carried: number, lost: readonly Path[], file: Blob, before: CanvasSession) => void
}

export interface HostState {
  session: CanvasSession | null
  /** Whether what is not saved is at least written on this device. */
  kept: boolean
}

export class CanvasHost {
  readonly state = createStore<HostState>(() => ({ session: null, kept: false }))
  readonly #options: HostOptions
  #copy: CanvasCopy | undefined
  #closed = false
  #waiting: ReturnType<typeof setTimeout> | undefined
  #forget = () => {}

  constructor(options: HostOptions) {
    this.#options = options
    void this.#open()
  }

  /**
   * Whether closing the page now would leave edits behind: on their way into the server's store, or in this page only.
   * Offline, with everything kept on this device, the page says that it may be closed.
   */
  get wouldLeaveEdits(): boolean {
    const { session, kept } = this.state.getState()
    if (!session) return false
    const { unsaved, save } = session.provider.state.getState()
    return unsaved > 0 && (save !== 'offline' || !kept)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#waiting)
    this.#forget()
    this.#copy?.close()
    this.state.getState().session?.destroy()
    this.state.setState({ session: null })
  }

  async #open(): Promise<void> {
    const { me, workflow } = this.#options
    this.#copy = await CanvasCopy.open(me.id, workflow)
    const kept = await this.#copy?.load()
    if (this.#closed) return this.#copy?.close()
    this.#copy?.kept.subscribe(({ all }) => this.state.setState({ kept: all }))
    const session = new CanvasSession(this.#sessionOptions, kept && ((document) => restored(document, kept)))
    this.state.setState({ session, kept: this.#copy !== undefined })
    this.#copy?.follow(session.document.doc, session.provider.unsaved)
    this.#watch(session)
  }

  get #sessionOptions(): SessionOptions {
    const { nodeTypes, me, address } = this.#options
    return {
      nodeTypes,
      me,
      address: async (epoch) => {
        const adopted = (await this.#copy?.refresh()) ?? []
        if (adopted.length > 0) this.state.getState().session?.provider.adopt(adopted)
        return address(epoch)
      },
    }
  }

  /** Follows what the server says of the shown session. */
  #watch(session: CanvasSession): void {
    const { provider } = session
    let told: { epoch?: number; mayEdit?: boolean } = {}
    let settled: ReturnType<typeof setTimeout> | undefined
    const unsubscribe = provider.state.subscribe(({ save, mayEdit, stale, ended }) => {
      if (stale) return void this.#replace(session, stale)
      if (ended !== null && NOT_YOURS.includes(ended)) return void this.#copy?.remove()
      if (provider.epoch !== undefined && (provider.epoch !== told.epoch || mayEdit !== told.mayEdit)) {
        told = { epoch: provider.epoch, mayEdit }
        void this.#copy?.describe(provider.epoch, mayEdit)
      }
      clearTimeout(settled)
      if (save === 'saved') settled = setTimeout(() => void this.#copy?.saved(), SETTLED_MS)
    })
    this.#forget = () => {
      clearTimeout(settled)
      unsubscribe()
    }
  }

  async #replace(before: CanvasSession, why: Stale): Promise<void> {
    this.#forget()
    const fresh = await this.#loaded()
    if (!fresh) return
    const { ended, reason } = fresh.provider.state.getState()
    if (ended !== null) {
      fresh.destroy()
      before.provider.end(ended, reason)
      if (NOT_YOURS.includes(ended)) await this.#copy?.remove()
      return
    }
    const { asFile, carry, differing, fitting } = await import('./sync/carry')
    const { unsaved } = before.provider
    const [from, to] = [before.document.doc, fresh.document.doc]
    const touches = unsaved.touches()
    const carried = why === 'too-large' ? fitting(from, touches) : touches
    const carryOver = (touches: readonly Touch[]) => fresh.document.edit(() => carry(from, to, touches))
    carryOver(carried)
    unsaved.clear()
    fresh.succeed(before)
    const { mayEdit } = fresh.provider.state.getState()
    const lost = differing(from, to, mayEdit ? touches.filter((touch) => !carried.includes(touch)) : touches)
    if (this.#closed) return fresh.destroy()
    this.state.setState({ session: fresh })
    this.#watch(fresh)
    void this.#copy?.replace(fresh.document.doc, fresh.provider.unsaved, fresh.provider.epoch ?? 0, mayEdit)
    this.#options.onReplaced(why, mayEdit ? carried.length : 0, lost, asFile(from, lost), before)
    // What is typed until the screen has followed goes into the former document.
    setTimeout(() => {
      if (!this.#closed) carryOver(unsaved.touches())
      before.destroy()
    }, FOLLOWED_MS)
  }

  /** A session on the server's document of now, once it is there or refused for good. */
  async #loaded(): Promise<CanvasSession | undefined> {
    for (let attempt = 0; !this.#closed; attempt++) {
      const session = new CanvasSession(this.#sessionOptions)
      const state = await new Promise<'there' | 'stale'>((resolve) => {
        const look = ({ loaded, ended, stale }: { loaded: boolean; ended: number | null; stale: Stale | null }) => {
          if (stale) resolve('stale')
          else if (loaded || ended !== null || this.#closed) resolve('there')
        }
        session.provider.state.subscribe(look)
        look(session.provider.state.getState())
      })
      if (state === 'there' && !this.#closed) return session
      session.destroy()
      await new Promise((resolve) => {
        this.#waiting = setTimeout(resolve, backoffMs(attempt))
      })
    }
    return undefined
  }
}

function restored({ doc }: CanvasDocument, { updates, ...known }: Kept): Known {
  doc.transact(() => {
    for (const update of updates) Y.applyUpdate(doc, update, KEPT)
  }, KEPT)
  return known
}
