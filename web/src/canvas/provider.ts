/**
 * Joins a Yjs document to the server over `/collab`, in the y-websocket protocol with durable acknowledgements.
 *
 * Invariant: `saved` is only ever said when the server has committed every edit of this document. The server counts
 * the update-carrying frames (SyncStep2 and Update) of a connection and tells how many of them are in its store.
 * Edits made before the server has asked for ours (its SyncStep1) need no frame: our SyncStep2 carries them.
 */
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import * as awarenessProtocol from 'y-protocols/awareness'
import * as syncProtocol from 'y-protocols/sync'
import type * as Y from 'yjs'
import { createStore } from 'zustand/vanilla'
import { backoffMs } from '../api/backoff'

const SYNC = 0
const AWARENESS = 1
const AUTH = 2
const QUERY_AWARENESS = 3
const ACK = 100

/** The server echoes our awareness, renewed every 15 s: longer silence means that the line is dead. */
const SILENCE_MS_MAX = 45_000
const WATCH_MS = 5_000
/** After its answer the server asks for our edits in the same breath, unless we may not edit. */
const ASKED_WITHIN_MS = 1_500

export type SaveState = 'offline' | 'connecting' | 'saving' | 'saved' | 'readonly'

export interface ProviderState {
  save: SaveState
  /** The server's document has been received at least once. */
  loaded: boolean
  /** Why the server closed for good, or refuses edits. */
  reason: string | null
  /** The server closed for good: nothing reconnects. */
  ended: number | null
}

/** Why there will be no connection, thrown by `connect`. */
export class Refused extends Error {
  readonly code: number

  constructor(code: number, reason: string) {
    super(reason)
    this.code = code
  }
}

export interface ProviderOptions {
  doc: Y.Doc
  awareness: awarenessProtocol.Awareness
  /** The address to open, with a fresh ticket. Throws `Refused` when trying again is useless. */
  address: () => Promise<string>
  WebSocket?: typeof WebSocket
  random?: () => number
}

export class CollabProvider {
  readonly state = createStore<ProviderState>(() => ({ save: 'connecting', loaded: false, reason: null, ended: null }))

  readonly #options: ProviderOptions
  #socket: WebSocket | undefined
  #dialing = false
  #destroyed = false
  #attempt = 0
  #retry: ReturnType<typeof setTimeout> | undefined
  readonly #watch: ReturnType<typeof setInterval>
  #lastHeard = 0

  /** Update-carrying frames of this connection: sent, and committed by the server. */
  #sent = 0
  #acknowledged = 0
  /** The server has asked for our edits and our answer is on its way: from here on every edit is a frame. */
  #handedOver = false
  /** There are edits that no connection has acknowledged. */
  #unsaved = false
  #readonly = false
  #asking: ReturnType<typeof setTimeout> | undefined

  constructor(options: ProviderOptions) {
    this.#options = options
    options.doc.on('update', this.#onUpdate)
    options.awareness.on('update', this.#onAwareness)
    this.#watch = setInterval(this.#onWatch, WATCH_MS)
    addEventListener('online', this.#onOnline)
    addEventListener('offline', this.#onOffline)
    this.#dial()
  }

  /** Whether closing the page now would lose edits. */
  get unsaved(): boolean {
    return this.#unsaved
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

  destroy(): void {
    this.#destroyed = true
    clearTimeout(this.#retry)
    clearTimeout(this.#asking)
    clearInterval(this.#watch)
    removeEventListener('online', this.#onOnline)
    removeEventListener('offline', this.#onOffline)
    const { doc, awareness } = this.#options
    awarenessProtocol.removeAwarenessStates(awareness, [doc.clientID], 'leave')
    awareness.off('update', this.#onAwareness)
    doc.off('update', this.#onUpdate)
    this.#socket?.close(1000)
    this.#socket = undefined
  }

  // --- connection ---

  #dial(): void {
    if (this.#destroyed || this.#dialing || this.#socket || this.state.getState().ended !== null) return
    this.#dialing = true
    clearTimeout(this.#retry)
    this.#show()
    this.#options
      .address()
      .then((address) => {
        this.#dialing = false
        if (!this.#destroyed) this.#open(address)
      })
      .catch((error: unknown) => {
        this.#dialing = false
        if (error instanceof Refused) this.#end(error.code, error.message)
        else this.#redial()
      })
  }

  #open(address: string): void {
    const socket = new (this.#options.WebSocket ?? WebSocket)(address)
    socket.binaryType = 'arraybuffer'
    this.#socket = socket
    this.#lastHeard = Date.now()
    socket.onopen = () => {
      this.#lastHeard = Date.now()
      this.#sent = 0
      this.#acknowledged = 0
      this.#handedOver = false
      this.#readonly = false
      this.#send(SYNC, (encoder) => syncProtocol.writeSyncStep1(encoder, this.#options.doc))
      // Said anew, because the server may remember this client's last word as its farewell.
      this.#options.awareness.setLocalState(this.#options.awareness.getLocalState())
    }
    socket.onmessage = (event) => {
      if (this.#socket !== socket) return
      this.#lastHeard = Date.now()
      this.#receive(new Uint8Array(event.data as ArrayBuffer))
    }
    socket.onclose = (event) => this.#closed(socket, event.code, event.reason)
  }

  /** A late close of a socket that was given up says nothing about the present one. */
  #closed(socket: WebSocket, code: number, reason: string): void {
    if (this.#socket !== socket) return
    this.#socket = undefined
    this.#handedOver = false
    clearTimeout(this.#asking)
    this.#forgetOthers()
    if (code >= 4400 && code <= 4499) this.#end(code, reason || `The server closed the connection (${code}).`)
    else this.#redial()
  }

  #redial(): void {
    if (this.#destroyed) return
    const wait = backoffMs(this.#attempt++, this.#options.random)
    this.#show()
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.#dial(), wait)
  }

  #end(code: number, reason: string): void {
    this.state.setState({ save: 'offline', ended: code, reason })
  }

  #giveUp(): void {
    const socket = this.#socket
    if (!socket) return
    this.#closed(socket, 1006, '')
    socket.close()
  }

  #forgetOthers(): void {
    const { awareness, doc } = this.#options
    const others = [...awareness.getStates().keys()].filter((client) => client !== doc.clientID)
    awarenessProtocol.removeAwarenessStates(awareness, others, this)
    // Forget their clocks as well: the server repeats their last words when we are back.
    for (const client of others) awareness.meta.delete(client)
  }

  readonly #onWatch = () => {
    if (this.#socket && Date.now() - this.#lastHeard > SILENCE_MS_MAX) this.#giveUp()
  }

  readonly #onOnline = () => {
    this.#attempt = 0
    this.#dial()
  }

  readonly #onOffline = () => this.#giveUp()

  // --- out ---

  readonly #onUpdate = (update: Uint8Array, origin: unknown) => {
    if (origin === this) return
    this.#unsaved = true
    if (this.#handedOver) this.#sendUpdate((encoder) => syncProtocol.writeUpdate(encoder, update))
    this.#show()
  }

  readonly #onAwareness = (changes: { added: number[]; updated: number[]; removed: number[] }, origin: unknown) => {
    if (origin === this) return
    const mine = [...changes.added, ...changes.updated, ...changes.removed].filter(
      (client) => client === this.#options.doc.clientID,
    )
    if (mine.length > 0) this.#sendAwareness(mine)
  }

  #sendAwareness(clients: number[]): void {
    const update = awarenessProtocol.encodeAwarenessUpdate(this.#options.awareness, clients)
    this.#send(AWARENESS, (encoder) => encoding.writeVarUint8Array(encoder, update))
  }

  #sendUpdate(write: (encoder: encoding.Encoder) => void): void {
    this.#sent++
    this.#send(SYNC, write)
  }

  #send(type: number, write: (encoder: encoding.Encoder) => void): void {
    const socket = this.#socket
    if (!socket || socket.readyState !== socket.OPEN) return
    const encoder = encoding.createEncoder()
    encoding.writeVarUint(encoder, type)
    write(encoder)
    socket.send(encoding.toUint8Array(encoder))
  }

  // --- in ---

  #receive(frame: Uint8Array): void {
    const decoder = decoding.createDecoder(frame)
    switch (decoding.readVarUint(decoder)) {
      case SYNC:
        this.#receiveSync(decoder)
        break
      case AWARENESS:
        awarenessProtocol.applyAwarenessUpdate(this.#options.awareness, decoding.readVarUint8Array(decoder), this)
        break
      case AUTH:
        this.#receiveAuth(decoder)
        break
      case QUERY_AWARENESS:
        this.#sendAwareness([this.#options.doc.clientID])
        break
      case ACK:
        this.#acknowledged = decoding.readVarUint(decoder)
        this.#show()
        break
    }
  }

  #receiveSync(decoder: decoding.Decoder): void {
    const { doc } = this.#options
    switch (decoding.readVarUint(decoder)) {
      case syncProtocol.messageYjsSyncStep1: {
        const stateVector = decoding.readVarUint8Array(decoder)
        clearTimeout(this.#asking)
        this.#readonly = false
        this.#handedOver = true
        this.#sendUpdate((encoder) => syncProtocol.writeSyncStep2(encoder, doc, stateVector))
        break
      }
      case syncProtocol.messageYjsSyncStep2:
        syncProtocol.readSyncStep2(decoder, doc, this)
        this.#attempt = 0
        this.state.setState({ loaded: true })
        if (!this.#handedOver) this.#expectQuestion()
        break
      case syncProtocol.messageYjsUpdate:
        syncProtocol.readUpdate(decoder, doc, this)
        break
    }
    this.#show()
  }

  #expectQuestion(): void {
    clearTimeout(this.#asking)
    this.#asking = setTimeout(() => {
      this.#readonly = !this.#handedOver
      this.#show()
    }, ASKED_WITHIN_MS)
  }

  /** `0 reason`: edits are refused. What was edited stays here, unsaved, and is told so. */
  #receiveAuth(decoder: decoding.Decoder): void {
    if (decoding.readVarUint(decoder) !== 0) return
    this.#readonly = true
    this.#handedOver = false
    this.state.setState({ reason: decoding.readVarString(decoder) })
    this.#show()
  }

  #show(): void {
    const { ended, loaded } = this.state.getState()
    if (ended !== null) return
    const open = this.#socket !== undefined && this.#socket.readyState === this.#socket.OPEN
    const save = ((): SaveState => {
      if (!open) return loaded || this.#attempt > 0 ? 'offline' : 'connecting'
      if (this.#readonly) return 'readonly'
      if (!this.#handedOver || !loaded) return 'connecting'
      return this.#acknowledged >= this.#sent ? 'saved' : 'saving'
    })()
    if (save === 'saved') this.#unsaved = false
    if (save !== this.state.getState().save) this.state.setState({ save })
  }
}
