/** A WebSocket for tests: the test is the server. */
export class FakeSocket {
  static instances: FakeSocket[] = []
  static readonly OPEN = 1

  readonly OPEN = 1
  readonly url: string
  readyState = 0
  binaryType = 'blob'
  sent: (string | Uint8Array)[] = []
  onopen: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number; reason: string }) => void) | null = null

  constructor(url: string) {
    this.url = url
    FakeSocket.instances.push(this)
  }

  static get last(): FakeSocket {
    const socket = FakeSocket.instances.at(-1)
    if (!socket) throw new Error('nothing has connected')
    return socket
  }

  send(data: string | Uint8Array): void {
    this.sent.push(data)
  }

  close(): void {
    this.readyState = 3
  }

  open(): void {
    this.readyState = 1
    this.onopen?.()
  }

  receive(data: string | Uint8Array): void {
    const copy = typeof data === 'string' ? data : data.slice().buffer
    this.onmessage?.({ data: copy })
  }

  drop(code = 1006, reason = ''): void {
    this.readyState = 3
    this.onclose?.({ code, reason })
  }
}

export const FakeWebSocket = FakeSocket as unknown as typeof WebSocket
