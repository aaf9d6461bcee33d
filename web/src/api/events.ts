/**
 * The live events of the server over `/ws`: one connection a tab, shared by every subscription.
 *
 * A subscription survives reconnects: it resumes after the last sequence number it has seen, and the server answers
 * with what was missed or with a snapshot.
 */
import { Backoff } from './backoff'
import type { Diagnostic, LogEntry, NodeFailure, NodeStatus, Run, RunStatus, Schemas, Workflow } from './types'

export const HEARTBEAT_MS = 20_000
const SILENCE_MS_MAX = 50_000

export interface Envelope<K extends string, D> {
  type: K
  channel: string
  seq: number
  timestamp: number
  workflow_id?: string | null
  run_id?: string | null
  node_id?: string | null
  data: D
}

export interface NodeRunState {
  status: NodeStatus
  /** In the order of the run. */
  place?: number
  attempt?: number
  rows?: number | null
  bytes?: number | null
  fraction?: number | null
  message?: string | null
  started_at?: number | null
  duration_ms?: number | null
  rows_in?: number | null
  rows_out?: number | null
  failure?: NodeFailure | null
}

export interface PresentUser {
  user_id: string
  name: string
  color: string
  sessions: number
}

/** What the server found about a step, a wire, or the diagram. */
export interface Finding {
  diagnostics: Diagnostic[]
  schemas: Schemas[string]
}

/** What is new of it; `null`: there is nothing to say any more. */
export interface Findings {
  nodes: Record<string, Finding | null>
  edges: Record<string, Finding | null>
  diagram?: Finding | null
}

/**
 * Whether more messages follow before everything there is has been told. What changes meanwhile comes in between; each
 * tells of its subject as it is now.
 */
interface Part {
  more?: boolean
}

export type WorkflowEvent =
  | Envelope<'workflow_snapshot', Part & { latest_run: Run | null; presence: PresentUser[] }>
  | Envelope<'diagnostics', Part & Findings>
  /** Nothing of it: it is too large to be told, and has to be read. */
  | Envelope<'workflow_update', Partial<Pick<Workflow, 'name' | 'description' | 'parameters' | 'tags' | 'updated_at'>>>
  | Envelope<'workflow_published', { version: number; by: string }>
  | Envelope<'presence', { users: PresentUser[] }>
  | Envelope<'run_started', { run: Run }>
  | Envelope<'run_completed' | 'run_failed' | 'run_canceled', unknown>

export type RunSnapshot = Part & { run: Run; nodes: Record<string, NodeRunState> }
export type RunDelta = Part & { status?: RunStatus; nodes?: Record<string, Partial<NodeRunState>> }

export type RunEvent =
  | Envelope<'run_snapshot', RunSnapshot>
  | Envelope<'run_status', RunDelta>
  | Envelope<'run_completed' | 'run_failed' | 'run_canceled' | 'run_timed_out', { failure?: NodeFailure | null }>

/** Lines have numbers without gaps: those that are missing were too many for this page. */
export type LogEvent = Envelope<'run_log', { entries: LogEntry[] }>

interface Channels {
  [workflow: `workflow:${string}`]: WorkflowEvent
  [run: `run:${string}`]: RunEvent
  [log: `run-log:${string}`]: LogEvent
}

type Reply =
  /** Also said when the role changes. */
  | { type: 'authorized'; role: string }
  | { type: 'pong' }
  | { type: 'subscribed'; channel: string; seq: number }
  | { type: 'unsubscribed'; channel: string }
  | { type: 'error'; code: string; message: string; channel?: string }

interface Subscription {
  /** `undefined`: nothing yet, or not all of what there is. */
  lastSeq: number | undefined
  /** The parts of what there is are still coming. */
  partial: boolean
  listeners: Set<(event: never) => void>
  onError: Set<(message: string) => void>
}

export interface EventsOptions {
  url: string
  /** A fresh access token; `undefined`: nobody is signed in, do not connect. */
  authorize: () => Promise<string | undefined>
  onRole?: (role: string) => void
  WebSocket?: typeof WebSocket
}

export class Events {
  readonly #options: EventsOptions
  readonly #subscriptions = new Map<string, Subscription>()
  #socket: WebSocket | undefined
  #authorized = false
  #connecting = false
  readonly #backoff = new Backoff()
  #heartbeat: ReturnType<typeof setInterval> | undefined
  #reconnect: ReturnType<typeof setTimeout> | undefined
  #lastHeard = 0

  constructor(options: EventsOptions) {
    this.#options = options
  }

  /** Listens to a channel until the returned function is called. The connection exists while somebody listens. */
  subscribe<C extends keyof Channels & string>(
    channel: C,
    listener: (event: Channels[C]) => void,
    onError: (message: string) => void = () => undefined,
  ): () => void {
    let subscription = this.#subscriptions.get(channel)
    if (subscription) {
      // A later listener needs the state from the start: ask for a snapshot again.
      subscription.lastSeq = undefined
      subscription.partial = false
      this.#send({ type: 'unsubscribe', channel })
    } else {
      subscription = { lastSeq: undefined, partial: false, listeners: new Set(), onError: new Set() }
      this.#subscriptions.set(channel, subscription)
    }
    subscription.listeners.add(listener)
    subscription.onError.add(onError)
    if (this.#authorized) this.#send({ type: 'subscribe', channel })
    else this.#connect()
    return () => {
      subscription.listeners.delete(listener)
      subscription.onError.delete(onError)
      if (subscription.listeners.size > 0 || this.#subscriptions.get(channel) !== subscription) return
      this.#subscriptions.delete(channel)
      this.#send({ type: 'unsubscribe', channel })
      if (this.#subscriptions.size === 0) this.#close()
    }
  }

  /** A fresh token keeps the connection alive past the end of the one that opened it. */
  renew(token: string): void {
    if (this.#authorized) this.#send({ type: 'authorization', token })
  }

  #connect(): void {
    if (this.#socket || this.#connecting || this.#subscriptions.size === 0) return
    this.#connecting = true
    clearTimeout(this.#reconnect)
    this.#options
      .authorize()
      .then((token) => {
        this.#connecting = false
        if (token && this.#subscriptions.size > 0) this.#open(token)
      })
      .catch(() => {
        this.#connecting = false
        this.#retry()
      })
  }

  #open(token: string): void {
    const socket = new (this.#options.WebSocket ?? WebSocket)(this.#options.url)
    this.#socket = socket
    socket.onopen = () => {
      this.#lastHeard = Date.now()
      socket.send(JSON.stringify({ type: 'authorization', token }))
      this.#heartbeat = setInterval(() => this.#beat(socket), HEARTBEAT_MS)
    }
    socket.onmessage = (message) => {
      this.#lastHeard = Date.now()
      this.#receive(JSON.parse(String(message.data)) as Reply | Envelope<string, unknown>)
    }
    socket.onclose = () => {
      if (this.#socket !== socket) return
      this.#drop()
      this.#retry()
    }
  }

  #beat(socket: WebSocket): void {
    if (Date.now() - this.#lastHeard > SILENCE_MS_MAX) {
      this.#drop()
      socket.close()
      this.#retry()
    } else {
      this.#send({ type: 'heartbeat' })
    }
  }

  #receive(message: Reply | Envelope<string, unknown>): void {
    if ('seq' in message && 'data' in message) {
      const subscription = this.#subscriptions.get(message.channel)
      if (!subscription) return
      subscription.partial = (message.data as Part | null)?.more ?? subscription.partial
      subscription.lastSeq = subscription.partial ? undefined : message.seq
      for (const listener of subscription.listeners) listener(message as never)
      return
    }
    if (message.type === 'authorized') this.#options.onRole?.(message.role)
    if (message.type === 'authorized' && !this.#authorized) {
      this.#authorized = true
      this.#backoff.works()
      for (const [channel, { lastSeq }] of this.#subscriptions) {
        this.#send({ type: 'subscribe', channel, ...(lastSeq === undefined ? {} : { last_seq: lastSeq }) })
      }
    } else if (message.type === 'error' && message.channel) {
      for (const onError of this.#subscriptions.get(message.channel)?.onError ?? []) onError(message.message)
    }
  }

  #send(message: object): void {
    const socket = this.#socket
    if (socket && socket.readyState === socket.OPEN) socket.send(JSON.stringify(message))
  }

  #retry(): void {
    if (this.#subscriptions.size === 0) return
    clearTimeout(this.#reconnect)
    this.#reconnect = setTimeout(() => this.#connect(), this.#backoff.next())
  }

  #drop(): void {
    clearInterval(this.#heartbeat)
    this.#socket = undefined
    this.#authorized = false
  }

  #close(): void {
    clearTimeout(this.#reconnect)
    const socket = this.#socket
    this.#drop()
    socket?.close(1000)
  }
}
