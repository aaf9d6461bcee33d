import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as sync from 'y-protocols/sync'
import * as Y from 'yjs'
import { FakeSocket, FakeWebSocket } from '../../testing/fake-socket'
import { Refused } from './connection'
import { CollabProvider, type Known } from './provider'
import { KEPT } from './touches'

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

  /** Says what the session may do, answers the client's SyncStep1 and asks an editor for what it has. */
  handshake({ mayEdit = true, epoch = 0 } = {}): void {
    this.allow(mayEdit, epoch)
    this.send(0, (encoder) => sync.writeSyncStep2(encoder, this.doc))
    if (mayEdit) this.ask()
  }

  allow(mayEdit: boolean, epoch = 0): void {
    this.send(101, (encoder) => {
      encoding.writeVarUint(encoder, mayEdit ? 1 : 0)
      encoding.writeVarUint(encoder, epoch)
    })
  }

  ask(): void {
    this.send(0, (encoder) => sync.writeSyncStep1(encoder, this.doc))
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
let address: (epoch: number | undefined) => Promise<string>

const state = () => provider.state.getState()
const save = () => state().save
const edit = (key: string) => doc.getMap('nodes').set(key, 1)
const soon = () => vi.advanceTimersByTimeAsync(0)

function join(known?: Known): void {
  provider = new CollabProvider({
    doc,
    awareness,
    known,
    address: (epoch) => address(epoch),
    WebSocket: FakeWebSocket,
    random: () => 0,
  })
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
  address = async (epoch) => `ws://test/collab/1?ticket=${++tickets}&epoch=${epoch}`
})

afterEach(() => {
  provider.destroy()
  awareness.destroy()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

async function joined(known?: Known, allowed?: { mayEdit?: boolean; epoch?: number }): Promise<void> {
  join(known)
  await soon()
  server.socket.open()
  server.handshake(allowed)
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
    expect(state().unsaved).toBe(0)
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
    expect(state().unsaved).toBe(1)

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

  test.each([4400, 4403, 4499])('[SYNC-11] close %i is final and its reason is shown', async (code) => {
    await joined()
    server.socket.drop(code, 'because')
    await vi.advanceTimersByTimeAsync(120_000)
    expect(FakeSocket.instances).toHaveLength(1)
    expect(state()).toMatchObject({ save: 'offline', ended: code, reason: 'because', mayEdit: false })
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

describe('access', () => {
  test('[SYNC-10] a session may only read when the server says so', async () => {
    await joined(undefined, { mayEdit: false })
    expect(state()).toMatchObject({ save: 'readonly', mayEdit: false, stale: null })
    server.read()
    edit('mine')
    expect(server.read()).toEqual([])
  })

  test('[SYNC-10] time alone makes no session read-only', async () => {
    join()
    await soon()
    server.socket.open()
    server.allow(true)
    await vi.advanceTimersByTimeAsync(30_000)
    expect(state()).toMatchObject({ save: 'connecting', mayEdit: true })
  })

  test('[SYNC-10] a downgrade holds at once, an upgrade gives the edits a way again', async () => {
    await joined()
    server.acknowledge(1)
    server.allow(false)
    expect(state()).toMatchObject({ save: 'readonly', mayEdit: false, stale: null })
    server.allow(true)
    expect(state().mayEdit).toBe(true)
    server.read()
    server.ask()
    expect(server.read()).toEqual(['step2'])
    server.acknowledge(2)
    expect(save()).toBe('saved')
  })

  test('[SYNC-10] a document with edits that were not taken is given up', async () => {
    await joined()
    server.acknowledge(1)
    edit('in flight')
    server.allow(false)
    expect(state()).toMatchObject({ mayEdit: false, stale: 'refused' })
    expect(provider.unsaved.touches()).toEqual([{ path: ['nodes', 'in flight'] }])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(FakeSocket.instances).toHaveLength(1)
  })

  test('[SYNC-10] a refused edit says why', async () => {
    await joined()
    server.acknowledge(1)
    edit('mine')
    server.send(2, (encoder) => {
      encoding.writeVarUint(encoder, 0)
      encoding.writeVarString(encoder, 'you may read this workflow')
    })
    expect(state()).toMatchObject({ mayEdit: false, stale: 'refused', reason: 'you may read this workflow' })
  })
})

describe('epochs', () => {
  test('[SYNC-15] a copy says which rebuild of the document it is of', async () => {
    await joined({ epoch: 3, mayEdit: true, unsaved: [] }, { epoch: 3 })
    expect(server.socket.url).toContain('epoch=3')
    expect(state()).toMatchObject({ loaded: true, stale: null })
  })

  test('[SYNC-15] without a copy none is said, and what the server says is said from then on', async () => {
    await joined(undefined, { epoch: 7 })
    expect(server.socket.url).toContain('epoch=undefined')
    server.socket.drop()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(server.socket.url).toContain('epoch=7')
  })

  test('[SYNC-15] a rebuilt document is not merged with, and what was not saved is still told', async () => {
    await joined()
    server.acknowledge(1)
    edit('late')
    server.socket.drop(4409, 'this canvas was rebuilt; load it again')
    expect(state()).toMatchObject({ stale: 'rebuilt', ended: null })
    expect(provider.unsaved.touches()).toEqual([{ path: ['nodes', 'late'] }])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(FakeSocket.instances).toHaveLength(1)
  })

  test('[SYNC-15] another epoch than the copy has is noticed before anything is merged', async () => {
    server.doc.getMap('nodes').set('theirs', 1)
    await joined({ epoch: 3, mayEdit: true, unsaved: [] }, { epoch: 4 })
    expect(state().stale).toBe('rebuilt')
    expect(doc.getMap('nodes').has('theirs')).toBe(false)
  })
})

describe('working offline', () => {
  test('[SYNC-16] a kept copy is shown at once, and its edits are sent when the server asks', async () => {
    doc.transact(() => edit('kept'), KEPT)
    join({ epoch: 0, mayEdit: true, unsaved: [{ path: ['nodes', 'kept'] }] })
    expect(state()).toMatchObject({ loaded: true, unsaved: 1 })
    await soon()
    server.socket.open()
    server.handshake()
    server.read()
    expect(server.doc.getMap('nodes').get('kept')).toBe(1)
    expect(state()).toMatchObject({ save: 'saving', unsaved: 1 })
    server.acknowledge(1)
    expect(state()).toMatchObject({ save: 'saved', unsaved: 0 })
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
