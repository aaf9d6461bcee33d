/** How long to wait before the n-th reconnect: exponential, capped, with full jitter against lock-step storms. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(10_000, 250 * 2 ** attempt)
  return ceiling / 4 + random() * ceiling * 0.75
}
