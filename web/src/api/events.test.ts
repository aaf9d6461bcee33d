import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FakeSocket, FakeWebSocket } from '../testing/fake-socket'
import { Events, HEARTBEAT_MS } from './events'

let events: Events
let token: string | undefined

const sent = () =>
  FakeSocket.last.sent.splice(0).map((message) => JSON.parse(String(message)) as Record<string, unknown>)
const answer = (message: object) => FakeSocket.last.receive(JSON.stringify(message))
const soon = () => vi.advanceTimersByTimeAsync(0)

beforeEach(() => {
  vi.useFakeTimers()
  FakeSocket.instances = []
  token = 'token-1'
  events = new Events({ url: 'ws://test/ws', authorize: async () => token, WebSocket: FakeWebSocket })
})

afterEach(() => {
  vi.useRealTimers()
})

async function connected(): Promise<void> {
  await soon()
  FakeSocket.last.open()
  answer({ type: 'authorized' })
}

const diagnostics = (seq: number) => ({ type: 'diagnostics', channel: 'workflow:1', seq, timestamp: 0, data: {} })

test('[WS-1] the connection is authorized before anything is subscribed', async () => {
  events.subscribe('workflow:1', () => undefined)
  await soon()
  FakeSocket.last.open()
  expect(sent()).toEqual([{ type: 'authorization', token: 'token-1' }])
  answer({ type: 'authorized' })
  expect(sent()).toEqual([{ type: 'subscribe', channel: 'workflow:1' }])
})

test('one connection carries all channels, each heard by its own listeners', async () => {
  const workflow = vi.fn()
  const run = vi.fn()
  events.subscribe('workflow:1', workflow)
  events.subscribe('run:1', run)
  await connected()
  expect(FakeSocket.instances).toHaveLength(1)
  answer(diagnostics(1))
  expect(workflow).toHaveBeenCalledTimes(1)
  expect(run).not.toHaveBeenCalled()
})

test('after a lost connection a channel resumes after what it has seen', async () => {
  events.subscribe('workflow:1', () => undefined)
  await connected()
  answer(diagnostics(7))
  FakeSocket.last.drop()
  await vi.advanceTimersByTimeAsync(2_000)
  expect(FakeSocket.instances).toHaveLength(2)
  FakeSocket.last.open()
  answer({ type: 'authorized' })
  expect(sent()).toContainEqual({ type: 'subscribe', channel: 'workflow:1', last_seq: 7 })
})

test('a heartbeat goes out every 20 s, and silence ends the connection', async () => {
  events.subscribe('workflow:1', () => undefined)
  await connected()
  sent()
  await vi.advanceTimersByTimeAsync(HEARTBEAT_MS)
  expect(sent()).toEqual([{ type: 'heartbeat' }])
  answer({ type: 'pong' })
  await vi.advanceTimersByTimeAsync(HEARTBEAT_MS * 2)
  expect(FakeSocket.instances).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(HEARTBEAT_MS * 3)
  expect(FakeSocket.instances.length).toBeGreaterThan(1)
})

test('the connection is closed with its last subscription', async () => {
  const leave = events.subscribe('workflow:1', () => undefined)
  await connected()
  leave()
  expect(FakeSocket.last.readyState).toBe(3)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(FakeSocket.instances).toHaveLength(1)
})

test('nobody signed in, no connection', async () => {
  token = undefined
  events.subscribe('workflow:1', () => undefined)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(FakeSocket.instances).toHaveLength(0)
})

test('a renewed token is told, and nothing is subscribed twice', async () => {
  events.subscribe('workflow:1', () => undefined)
  await connected()
  sent()
  events.renew('token-2')
  answer({ type: 'authorized' })
  expect(sent()).toEqual([{ type: 'authorization', token: 'token-2' }])
})

test('what is refused for a channel is told to its listener', async () => {
  const refused = vi.fn()
  events.subscribe('run:1', () => undefined, refused)
  await connected()
  answer({ type: 'error', code: 'not_found', message: 'there is no such run', channel: 'run:1' })
  expect(refused).toHaveBeenCalledWith('there is no such run')
})
