/**
 * Joins a Yjs document to the server over `/collab`, in the y-websocket protocol with durable acknowledgements.
 *
 * Invariant: `saved` is only ever said when the server has committed every edit of this document. The server counts
 * the update-carrying frames (SyncStep2 and Update) of a connection and tells how many of them are in its store.
 * Edits made before the server has asked for ours (its SyncStep1) need no frame: our SyncStep2 carries them.
 *
 * What this session may do is what the server says, never inferred. A document that cannot be merged with the server's
 * any more is `stale`: this provider is done with it but for noting what is edited, and who opened it loads another one.
 */
import * as awarenessProtocol from 'y-protocols/awareness'
import * as Y from 'yjs'
import { createStore } from 'zustand/vanilla'
import { Connection } from './connection'
import { KEPT, REMOTE, type Touch } from './touches'
import { Unsaved } from './unsaved'
import * as wire from './wire'

/** The document was rebuilt on the server: its items have other ids there. */
const EPOCH_CHANGED = 4409
/** What was edited here does not fit into the canvas. */
const TOO_LARGE = 4413

export type SaveState = 'offline' | 'connecting' | 'saving' | 'saved' | 'readonly'

/**
 * `rebuilt`: the server has another document by now. `refused`: it did not take edits that this one holds.
 * `too-large`: the canvas has no room for them.
 */
export type Stale = 'rebuilt' | 'refused' | 'too-large'

export interface ProviderState {
  save: SaveState
  /** There is a document to show: the server's, or the one kept on this device. */
  loaded: boolean
  /** Edits made now will reach the server. */
  mayEdit: boolean
  /** How many places are edited and not in the server's store. */
  unsaved: number
  /** Why the server closed for good, or refuses edits. */
  reason: string | null
  /** The server closed for good: nothing reconnects. */
  ended: number | null
  stale: Stale | null
}

/** A copy of the document that this device has. */
export interface Known {
  /** The rebuild of the document that it is of. */
  epoch: number
  mayEdit: boolean
  unsaved: readonly Touch[]
}

export interface ProviderOptions {
  doc: Y.Doc
  awareness: awarenessProtocol.Awareness
  /** The address to open, with a fresh ticket, for a copy of that epoch. Throws `Refused` when trying is useless. */
  address: (epoch: number | undefined) => Promise<string>
  known?: Known | undefined
  WebSocket?: typeof WebSocket | undefined
  random?: (() => number) | undefined
}

export class CollabProvider {
  readonly state = createStore<ProviderState>(() => ({
    save: 'connecting',
    loaded: false,
    mayEdit: true,
    unsaved: 0,
    reason: null,
    ended: null,
    stale: null,
  }))
  readonly unsaved: Unsaved

  readonly #options: ProviderOptions
  readonly #connection: Connection
  #epoch: number | undefined
  /** Update-carrying frames of this connection: sent, and committed by the server. */
  #sent = 0
  #acknowledged = 0
  /** The server has asked for our edits and our answer is on its way: from here on every edit is a frame. */
  #handedOver = false

  constructor({ known, ...options }: ProviderOptions) {
    const { doc, awareness, address, WebSocket, random } = options
    this.#options = options
    this.unsaved = new Unsaved(doc)
    if (known) {
      this.#epoch = known.epoch
      this.unsaved.add(known.unsaved, null)
      this.state.setState({ loaded: true, mayEdit: known.mayEdit, unsaved: this.unsaved.size })
    }
    doc.on('update', this.#onUpdate)
    awareness.on('update', this.#onAwareness)
    this.#connection = new Connection({
      address: () => address(this.#epoch),
      onOpen: this.#onOpen,
      onFrame: this.#onFrame,
      onLost: this.#onLost,
      onEnded: this.#onEnded,
      WebSocket,
      random,
    })
  }

  /** Which rebuild of the document this is of; unknown until the server has said so. */
  get epoch(): number | undefined {
    return this.#epoch
  }

  /** Settles when every edit is committed, or after a while. */
  saved(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        unsubscribe()
        resolve()
      }
      const timer = setTimeout(done, waitMs)
      const unsubscribe = this.state.subscribe(({ save }) => save === 'saved' && done())
      if (this.state.getState().save === 'saved') done()
    })
  }

  /** Edits that another page of this browser made and left here. */
  adopt(touches: readonly Touch[]): void {
    this.unsaved.add(touches, this.#handedOver ? this.#sent : null)
    this.#show()
  }

  /** There is no way back to the server. */
  end(code: number, reason: string | null): void {
    this.state.setState({ save: 'offline', ended: code, reason, mayEdit: false, stale: null })
  }

  destroy(): void {
    const { doc, awareness } = this.#options
    // The farewell is sent while there is a line.
    awarenessProtocol.removeAwarenessStates(awareness, [doc.clientID], 'leave')
    awareness.off('update', this.#onAwareness)
    doc.off('update', this.#onUpdate)
    this.unsaved.destroy()
    this.#connection.close()
  }

  // --- connection ---

  readonly #onOpen = () => {
    const { doc, awareness } = this.#options
    this.#sent = 0
    this.#acknowledged = 0
    this.#connection.send(wire.question(doc))
    // Said anew, because the server may remember this client's last word as its farewell.
    awareness.setLocalState(awareness.getLocalState())
  }

  readonly #onLost = () => {
    this.#leave()
    this.#show()
  }

  readonly #onEnded = (code: number, reason: string) => {
    this.#leave()
    if (code === EPOCH_CHANGED) this.#goStale('rebuilt')
    else if (code === TOO_LARGE) this.#goStale('too-large')
    else this.end(code, reason)
  }

  #goStale(stale: Stale): void {
    this.#connection.close()
    this.#leave()
    this.state.setState({ save: 'connecting', stale })
  }

  #leave(): void {
    this.#handedOver = false
    this.unsaved.uncarried()
    const { awareness, doc } = this.#options
    const others = [...awareness.getStates().keys()].filter((client) => client !== doc.clientID)
    awarenessProtocol.removeAwarenessStates(awareness, others, REMOTE)
    // Forget their clocks as well: the server repeats their last words when we are back.
    for (const client of others) awareness.meta.delete(client)
  }

  // --- out ---

  readonly #onUpdate = (update: Uint8Array, origin: unknown, _: Y.Doc, transaction: Y.Transaction) => {
    if (origin === REMOTE) return
    if (this.#handedOver) this.#sendUpdate(wire.update(update))
    if (origin !== KEPT) this.unsaved.add(this.unsaved.touchedBy(transaction), this.#handedOver ? this.#sent : null)
    this.#show()
  }

  readonly #onAwareness = (changes: { added: number[]; updated: number[]; removed: number[] }, origin: unknown) => {
    if (origin === REMOTE) return
    const mine = [...changes.added, ...changes.updated, ...changes.removed].filter(
      (client) => client === this.#options.doc.clientID,
    )
    if (mine.length > 0) this.#sendAwareness(mine)
  }

  #sendAwareness(clients: number[]): void {
    this.#connection.sendBetween(wire.awareness(this.#options.awareness, clients))
  }

  #sendUpdate(frame: Uint8Array): void {
    this.#sent++
    this.#connection.send(frame)
  }

  // --- in ---

  readonly #onFrame = (frame: Uint8Array) => {
    const message = wire.read(frame)
    const { doc, awareness } = this.#options
    switch (message?.kind) {
      case 'session':
        this.#onSession(message.mayEdit, message.epoch)
        break
      case 'question':
        this.#sendUpdate(wire.answer(doc, message.stateVector))
        this.#handedOver = true
        this.unsaved.carriedBy(this.#sent)
        break
      case 'answer':
        Y.applyUpdate(doc, message.update, REMOTE)
        this.#connection.works()
        if (!this.state.getState().loaded) this.state.setState({ loaded: true })
        break
      case 'update':
        Y.applyUpdate(doc, message.update, REMOTE)
        break
      case 'awareness':
        awarenessProtocol.applyAwarenessUpdate(awareness, message.update, REMOTE)
        return
      case 'awareness-wanted':
        this.#sendAwareness([doc.clientID])
        return
      case 'acknowledged':
        this.#acknowledged = message.frames
        this.unsaved.acknowledged(message.frames)
        break
      case 'denied':
        this.#mayOnlyRead(message.reason)
        break
    }
    this.#show()
  }

  #onSession(mayEdit: boolean, epoch: number): void {
    if (this.#epoch !== undefined && this.#epoch !== epoch) {
      this.#goStale('rebuilt')
      return
    }
    this.#epoch = epoch
    if (mayEdit) this.state.setState({ mayEdit: true, reason: null })
    else this.#mayOnlyRead(null)
  }

  /** What was edited and not saved will not be taken: this document must not be merged with the server's again. */
  #mayOnlyRead(reason: string | null): void {
    this.#handedOver = false
    this.state.setState(({ reason: before }) => ({ mayEdit: false, reason: reason ?? before }))
    if (this.unsaved.size > 0) this.#goStale('refused')
  }

  #show(): void {
    const { ended, stale } = this.state.getState()
    if (ended !== null || stale !== null) return
    const [save, unsaved] = [this.#saveState(), this.unsaved.size]
    const before = this.state.getState()
    if (save !== before.save || unsaved !== before.unsaved) this.state.setState({ save, unsaved })
  }

  #saveState(): SaveState {
    const { loaded, mayEdit } = this.state.getState()
    if (!this.#connection.isOpen) return loaded || this.#connection.hasFailed ? 'offline' : 'connecting'
    if (!mayEdit) return loaded ? 'readonly' : 'connecting'
    if (!this.#handedOver || !loaded) return 'connecting'
    return this.#acknowledged >= this.#sent ? 'saved' : 'saving'
  }
}
