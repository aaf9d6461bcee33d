import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as sync from 'y-protocols/sync'
import * as Y from 'yjs'
import { FakeSocket, FakeWebSocket } from '../testing/fake-socket'
import { CollabProvider, Refused } from './provider'

/** The server's end of the newest connection. */
class Server {
  readonly doc = new Y.Doc()

  get socket(): FakeSocket {
    return FakeSocket.last
  }

  send(type: number, write: (encoder: encoding.Encoder) => void): void {
    const encoder = encoding.createEncoder()
    encoding.writeVarUint(encoder, type)
    write(encoder)
    this.socket.receive(encoding.toUint8Array(encoder))
  }

  /** Answers the client's SyncStep1 and, for an editor, asks for what it has. */
  handshake({ mayEdit = true } = {}): void {
    this.send(0, (encoder) => sync.writeSyncStep2(encoder, this.doc))
    if (mayEdit) this.send(0, (encoder) => sync.writeSyncStep1(encoder, this.doc))
  }

  acknowledge(frames: number): void {
    this.send(100, (encoder) => encoding.writeVarUint(encoder, frames))
  }

  /** What the client has sent, and the updates among it applied. */
  read(): string[] {
    return this.socket.sent.splice(0).map((frame) => {
      const decoder = decoding.createDecoder(frame as Uint8Array)
      if (decoding.readVarUint(decoder) !== 0) return 'awareness'
      const kind = decoding.readVarUint(decoder)
      const body = decoding.readVarUint8Array(decoder)
      if (kind === 0) return 'step1'
      Y.applyUpdate(this.doc, body)
      return kind === 1 ? 'step2' : 'update'
    })
  }
}

let doc: Y.Doc
let awareness: Awareness
let provider: CollabProvider
let server: Server
let tickets: number
let address: () => Promise<string>

const save = () => provider.state.getState().save
const edit = (key: string) => doc.getMap('nodes').set(key, 1)
const soon = () => vi.advanceTimersByTimeAsync(0)

function join(): void {
  provider = new CollabProvider({ doc, awareness, address: () => address(), WebSocket: FakeWebSocket, random: () => 0 })
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('addEventListener', vi.fn())
  vi.stubGlobal('removeEventListener', vi.fn())
  FakeSocket.instances = []
  doc = new Y.Doc()
  awareness = new Awareness(doc)
  server = new Server()
  tickets = 0
  address = async () => `ws://test/collab/1?ticket=${++tickets}&ack=1`
})

afterEach(() => {
  provider.destroy()
  awareness.destroy()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

async function joined(): Promise<void> {
  join()
  await soon()
  server.socket.open()
  server.handshake()
}

describe('saving', () => {
  test('[SYNC-3] an edit is saved only when the server has acknowledged its frame', async () => {
    await joined()
    expect(server.read()).toEqual(['step1', 'awareness', 'step2'])
    expect(save()).toBe('saving')
    server.acknowledge(1)
    expect(save()).toBe('saved')

    edit('a')
    expect(server.read()).toEqual(['update'])
    edit('b')
    expect(save()).toBe('saving')
    server.acknowledge(2)
    expect(save()).toBe('saving')
    server.acknowledge(3)
    expect(save()).toBe('saved')
    expect(provider.unsaved).toBe(false)
  })

  test('[SYNC-6] what others edit is not sent back', async () => {
    await joined()
    server.read()
    const other = new Y.Doc()
    other.getMap('nodes').set('theirs', 1)
    server.send(0, (encoder) => sync.writeUpdate(encoder, Y.encodeStateAsUpdate(other)))
    expect(doc.getMap('nodes').get('theirs')).toBe(1)
    expect(server.read()).toEqual([])
  })

  test('edits before the server asks travel in the answer, not as frames of their own', async () => {
    join()
    await soon()
    server.socket.open()
    edit('early')
    expect(server.read()).toEqual(['step1', 'awareness'])
    expect(save()).toBe('connecting')
    server.handshake()
    expect(server.read()).toEqual(['step2'])
    expect(server.doc.getMap('nodes').get('early')).toBe(1)
  })

  test('saved() waits for the acknowledgement', async () => {
    await joined()
    const settled = vi.fn()
    void provider.saved(10_000).then(settled)
    await soon()
    expect(settled).not.toHaveBeenCalled()
    server.acknowledge(1)
    await soon()
    expect(settled).toHaveBeenCalled()
  })
})

describe('reconnecting', () => {
  test('edits made offline merge on return, with a fresh ticket', async () => {
    await joined()
    server.acknowledge(1)
    server.socket.drop()
    expect(save()).toBe('offline')
    edit('offline')
    expect(provider.unsaved).toBe(true)

    await vi.advanceTimersByTimeAsync(5_000)
    expect(FakeSocket.instances).toHaveLength(2)
    expect(server.socket.url).toContain('ticket=2')
    server.socket.open()
    server.handshake()
    server.read()
    expect(server.doc.getMap('nodes').get('offline')).toBe(1)
    expect(save()).toBe('saving')
    server.acknowledge(1)
    expect(save()).toBe('saved')
  })

  test('the wait grows from one failure to the next', async () => {
    join()
    const waits: number[] = []
    for (let attempt = 0; attempt < 4; attempt++) {
      await soon()
      const before = Date.now()
      const connections = FakeSocket.instances.length
      server.socket.drop()
      while (FakeSocket.instances.length === connections) await vi.advanceTimersByTimeAsync(5)
      waits.push(Date.now() - before)
    }
    expect(waits).toEqual([...waits].sort((a, b) => a - b))
    expect(waits[3]).toBeGreaterThan(4 * (waits[0] ?? 0))
  })

  test('a failed request for a ticket is tried again', async () => {
    address = async () => {
      if (++tickets === 1) throw new Error('no network')
      return 'ws://test'
    }
    join()
    await soon()
    expect(FakeSocket.instances).toHaveLength(0)
    expect(save()).toBe('offline')
    await vi.advanceTimersByTimeAsync(1_000)
    expect(FakeSocket.instances).toHaveLength(1)
  })

  test('a silent line is given up, and its late close changes nothing', async () => {
    await joined()
    const silent = server.socket
    await vi.advanceTimersByTimeAsync(60_000)
    expect(FakeSocket.instances.length).toBeGreaterThan(1)
    server.socket.open()
    server.handshake()
    server.acknowledge(1)
    silent.drop(4400, 'late')
    expect(save()).toBe('saved')
  })

  test.each([4400, 4403, 4409, 4499])('[SYNC-11] close %i is final and its reason is shown', async (code) => {
    await joined()
    server.socket.drop(code, 'because')
    await vi.advanceTimersByTimeAsync(120_000)
    expect(FakeSocket.instances).toHaveLength(1)
    expect(provider.state.getState()).toMatchObject({ save: 'offline', ended: code, reason: 'because' })
  })

  test.each([1012, 1013, 1006, 4500])('[SYNC-11] close %i is followed by another try', async (code) => {
    await joined()
    server.socket.drop(code, 'later')
    await vi.advanceTimersByTimeAsync(20_000)
    expect(FakeSocket.instances.length).toBeGreaterThan(1)
    expect(provider.state.getState().ended).toBeNull()
  })

  test('a refused ticket is final', async () => {
    address = async () => {
      throw new Refused(4404, 'This workflow does not exist.')
    }
    join()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(FakeSocket.instances).toHaveLength(0)
    expect(provider.state.getState()).toMatchObject({ ended: 4404, reason: 'This workflow does not exist.' })
  })
})

describe('reading only', () => {
  test('[SYNC-10] a session that is not asked for its edits may only read', async () => {
    join()
    await soon()
    server.socket.open()
    server.handshake({ mayEdit: false })
    await vi.advanceTimersByTimeAsync(2_000)
    expect(save()).toBe('readonly')
    server.read()
    edit('mine')
    expect(server.read()).toEqual([])
  })

  test('[SYNC-10] a refused edit says why', async () => {
    await joined()
    server.send(2, (encoder) => {
      encoding.writeVarUint(encoder, 0)
      encoding.writeVarString(encoder, 'you may read this workflow')
    })
    expect(provider.state.getState()).toMatchObject({ save: 'readonly', reason: 'you may read this workflow' })
  })
})

describe('awareness', () => {
  test('[SYNC-9] this session is renewed before it expires', async () => {
    await joined()
    server.read()
    const meta = awareness.meta.get(awareness.clientID)
    if (!meta) throw new Error('not announced')
    // Awareness reads a clock that the test cannot turn: make its last word old instead.
    meta.lastUpdated -= 16_000
    await vi.advanceTimersByTimeAsync(5_000)
    expect(server.read()).toContain('awareness')
  })

  test('others are gone when the connection is, and back with it', async () => {
    await joined()
    const other = new Awareness(new Y.Doc())
    other.setLocalState({ user: { name: 'Bob' } })
    const update = encodeAwarenessUpdate(other, [other.clientID])
    server.send(1, (encoder) => encoding.writeVarUint8Array(encoder, update))
    expect(awareness.getStates().has(other.clientID)).toBe(true)
    server.socket.drop()
    expect(awareness.getStates().has(other.clientID)).toBe(false)

    await vi.advanceTimersByTimeAsync(5_000)
    server.socket.open()
    server.send(1, (encoder) => encoding.writeVarUint8Array(encoder, update))
    expect(awareness.getStates().has(other.clientID)).toBe(true)
    other.destroy()
  })
})
