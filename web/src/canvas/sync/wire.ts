/** The frames of `/collab`: the y-websocket protocol, and what this server adds for its own client. */
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { type Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as sync from 'y-protocols/sync'
import * as Y from 'yjs'

const SYNC = 0
const AWARENESS = 1
const AUTH = 2
const QUERY_AWARENESS = 3
const ACK = 100
const SESSION = 101
const PART = 102

const DENIED = 0

export type Incoming =
  | { kind: 'question'; stateVector: Uint8Array }
  | { kind: 'answer' | 'update' | 'awareness'; update: Uint8Array }
  | { kind: 'awareness-wanted' }
  | { kind: 'denied'; reason: string }
  /** How many update-carrying frames of this connection are in the server's store. */
  | { kind: 'acknowledged'; frames: number }
  /** What this session may do, and which rebuild of the document it is on. */
  | { kind: 'session'; mayEdit: boolean; epoch: number }

/** `undefined`: a message of a later server, which says nothing to this client. */
export function read(frame: Uint8Array): Incoming | undefined {
  const decoder = decoding.createDecoder(frame)
  switch (decoding.readVarUint(decoder)) {
    case SYNC:
      return readSync(decoder)
    case AWARENESS:
      return { kind: 'awareness', update: decoding.readVarUint8Array(decoder) }
    case AUTH:
      return decoding.readVarUint(decoder) === DENIED
        ? { kind: 'denied', reason: decoding.readVarString(decoder) }
        : undefined
    case QUERY_AWARENESS:
      return { kind: 'awareness-wanted' }
    case ACK:
      return { kind: 'acknowledged', frames: decoding.readVarUint(decoder) }
    case SESSION:
      return {
        kind: 'session',
        mayEdit: decoding.readVarUint(decoder) === 1,
        epoch: decoding.readVarUint(decoder),
      }
    default:
      return undefined
  }
}

function readSync(decoder: decoding.Decoder): Incoming | undefined {
  const kind = decoding.readVarUint(decoder)
  const body = decoding.readVarUint8Array(decoder)
  switch (kind) {
    case sync.messageYjsSyncStep1:
      return { kind: 'question', stateVector: body }
    case sync.messageYjsSyncStep2:
      return { kind: 'answer', update: body }
    case sync.messageYjsUpdate:
      return { kind: 'update', update: body }
    default:
      return undefined
  }
}

/** Asks for what the document lacks. */
export function question(doc: Y.Doc): Uint8Array {
  return syncFrame(sync.messageYjsSyncStep1, Y.encodeStateVector(doc))
}

/** Everything of the document that is not in a state. */
export function answer(doc: Y.Doc, stateVector: Uint8Array): Uint8Array {
  return syncFrame(sync.messageYjsSyncStep2, Y.encodeStateAsUpdate(doc, stateVector))
}

export function update(bytes: Uint8Array): Uint8Array {
  return syncFrame(sync.messageYjsUpdate, bytes)
}

/** A part of a frame, of which so many bytes are still to come. */
export function part(bytes: Uint8Array, remaining: number): Uint8Array {
  return frame([PART, remaining], bytes)
}

export function awareness(all: Awareness, clients: number[]): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, AWARENESS)
    encoding.writeVarUint8Array(encoder, encodeAwarenessUpdate(all, clients))
  })
}

function syncFrame(kind: number, body: Uint8Array): Uint8Array {
  return frame([SYNC, kind], body)
}

/** Numbers, and bytes behind them, which may be many: they are copied once. */
function frame(numbers: number[], body: Uint8Array): Uint8Array {
  const head = encoding.encode((encoder) => {
    for (const number of [...numbers, body.length]) encoding.writeVarUint(encoder, number)
  })
  const whole = new Uint8Array(head.length + body.length)
  whole.set(head)
  whole.set(body, head.length)
  return whole
}
