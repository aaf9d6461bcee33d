/** The pages that hold the rows in view, and the one after them. */
export function pagesOf(start: number, end: number, total: number, size: number): number[] {
  const last = Math.max(0, Math.ceil(total / size) - 1)
  const from = Math.min(last, Math.floor(start / size))
  const to = Math.min(last, Math.floor(end / size) + 1)
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}
