/**
 * One line to the server that is opened again whenever it breaks, until the server closes it for good.
 *
 * Knows sockets, tickets and waiting; knows nothing of documents.
 */
import { Backoff } from '../../api/backoff'
import { Sender } from './sender'

/** The server echoes our awareness, renewed every 15 s: longer silence means that the line is dead. */
const SILENCE_MS_MAX = 45_000
const WATCH_MS = 5_000

/** Why there will be no connection, thrown by `address`. */
export class Refused extends Error {
  readonly code: number

  constructor(code: number, reason: string) {
    super(reason)
    this.code = code
  }
}

export interface ConnectionOptions {
  /** The address to open, with a fresh ticket. Throws `Refused` when trying again is useless. */
  address: () => Promise<string>
  onOpen: () => void
  onFrame: (frame: Uint8Array) => void
  /** The line broke or could not be opened; another try follows. */
  onLost: () => void
  /** The server closed for good. */
  onEnded: (code: number, reason: string) => void
  WebSocket?: typeof WebSocket | undefined
  random?: (() => number) | undefined
}

export class Connection {
  readonly #options: ConnectionOptions
  #socket: WebSocket | undefined
  #dialing = false
  #closed = false
  readonly #backoff = new Backoff()
  #hasFailed = false
  #retry: ReturnType<typeof setTimeout> | undefined
  readonly #watch: ReturnType<typeof setInterval>
  readonly #sender = new Sender({
    send: (frame) => {
      if (this.isOpen) this.#socket?.send(frame as Uint8Array<ArrayBuffer>)
    },
    waitingBytes: () => this.#socket?.bufferedAmount ?? 0,
  })
  #lastHeard = 0

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#watch = setInterval(this.#onWatch, WATCH_MS)
    addEventListener('online', this.#onOnline)
    addEventListener('offline', this.#onOffline)
    this.#dial()
  }

  get isOpen(): boolean {
    return this.#socket !== undefined && this.#socket.readyState === this.#socket.OPEN
  }

  /** Whether a connection has failed since the last one that worked. */
  get hasFailed(): boolean {
    return this.#hasFailed
  }

  /** The connection does what it is for. */
  works(): void {
    this.#hasFailed = false
    this.#backoff.works()
  }

  send(frame: Uint8Array): void {
    if (this.isOpen) this.#sender.send(frame)
  }

  /** Does not wait for what is large and under way. */
  sendBetween(frame: Uint8Array): void {
    if (this.isOpen) this.#sender.sendBetween(frame)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#retry)
    clearInterval(this.#watch)
    removeEventListener('online', this.#onOnline)
    removeEventListener('offline', this.#onOffline)
    this.#socket?.close(1000)
    this.#socket = undefined
    this.#sender.clear()
  }

  #dial(): void {
    if (this.#closed || this.#dialing || this.#socket) return
    this.#dialing = true
    clearTimeout(this.#retry)
    this.#options
      .address()
      .then((address) => {
        this.#dialing = false
        if (!this.#closed) this.#open(address)
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
      if (this.#socket !== socket) return
      this.#lastHeard = Date.now()
      this.#options.onOpen()
    }
    socket.onmessage = (event) => {
      if (this.#socket !== socket) return
      this.#lastHeard = Date.now()
      this.#options.onFrame(new Uint8Array(event.data as ArrayBuffer))
    }
    socket.onclose = (event) => this.#lost(socket, event.code, event.reason)
  }

  /** A late close of a socket that was given up says nothing about the present one. */
  #lost(socket: WebSocket, code: number, reason: string): void {
    if (this.#socket !== socket) return
    this.#socket = undefined
    this.#sender.clear()
    if (code >= 4400 && code <= 4499) this.#end(code, reason || `The server closed the connection (${code}).`)
    else this.#redial()
  }

  #redial(): void {
    if (this.#closed) return
    this.#hasFailed = true
    const wait = this.#backoff.next(this.#options.random)
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.#dial(), wait)
    this.#options.onLost()
  }

  #end(code: number, reason: string): void {
    if (this.#closed) return
    this.close()
    this.#options.onEnded(code, reason)
  }

  #giveUp(): void {
    const socket = this.#socket
    if (!socket) return
    this.#lost(socket, 1006, '')
    socket.close()
  }

  readonly #onWatch = () => {
    if (this.#socket && Date.now() - this.#lastHeard > SILENCE_MS_MAX) this.#giveUp()
  }

  readonly #onOnline = () => {
    this.#hasFailed = false
    this.#backoff.reset()
    this.#dial()
  }

  readonly #onOffline = () => this.#giveUp()
}
