/** How long to wait before the n-th reconnect: exponential, capped, with full jitter against lock-step storms. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(10_000, 250 * 2 ** attempt)
  return ceiling / 4 + random() * ceiling * 0.75
}

/** A connection that ended sooner did not last: what ended it may end the next one too. */
export const LASTED_MS = 10_000

/** The waits of one connection that is opened again and again: they grow until one has lasted. */
export class Backoff {
  #attempt = 0
  #worksSince: number | undefined

  /** The connection does what it is for. */
  works(): void {
    this.#worksSince ??= Date.now()
  }

  /** How long to wait now that it is lost. */
  next(random?: () => number): number {
    if (this.#worksSince !== undefined && Date.now() - this.#worksSince >= LASTED_MS) this.#attempt = 0
    this.#worksSince = undefined
    return backoffMs(this.#attempt++, random)
  }

  /** There is a reason to think that it will last. */
  reset(): void {
    this.#attempt = 0
  }
}
