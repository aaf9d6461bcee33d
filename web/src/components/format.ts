/** Numbers, durations and times as people read them. */

/** Of a number after its point; of one below 1, from its first digit that is not zero. */
const DIGITS_MAX = 6
/** Beyond, a number no longer holds every whole number: its last digits would be made up. */
const WHOLE_MAX = 2 ** 53

const integer = new Intl.NumberFormat('en-US')
const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 })
const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hour12: false,
})
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })

export function formatCount(count: number): string {
  return integer.format(count)
}

/** `336.8K`: where there is little room. */
export function formatCompact(count: number): string {
  return count < 10_000 ? integer.format(count) : compact.format(count)
}

/** Rounded for reading, but never to zero. */
export function formatNumber(value: number): string {
  const size = Math.abs(value)
  if (size > WHOLE_MAX) return value.toExponential()
  return String(Number(size < 1 ? value.toPrecision(DIGITS_MAX) : value.toFixed(DIGITS_MAX)))
}

export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`
  const minutes = Math.floor(ms / 60_000)
  const seconds = Math.floor((ms % 60_000) / 1_000)
  if (minutes < 60) return `${minutes} min ${seconds} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

export function formatDateTime(ms: number): string {
  return dateTime.format(ms)
}

export function formatClock(ms: number): string {
  return clock.format(ms)
}

export function formatAgo(ms: number, now: number = Date.now()): string {
  const seconds = Math.round((ms - now) / 1_000)
  const steps: [number, Intl.RelativeTimeFormatUnit][] = [
    [60, 'second'],
    [60, 'minute'],
    [24, 'hour'],
    [7, 'day'],
    [5, 'week'],
    [12, 'month'],
  ]
  let amount = seconds
  for (const [size, unit] of steps) {
    if (Math.abs(amount) < size) return unit === 'second' ? 'just now' : relative.format(amount, unit)
    amount = Math.round(amount / size)
  }
  return relative.format(amount, 'year')
}
