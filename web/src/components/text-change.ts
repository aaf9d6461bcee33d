/** What makes one text of another, as one piece: what people type, paste or undo is one. */
export interface TextChange {
  from: number
  to: number
  insert: string
}

/** The least change. `undefined`: both say the same. */
export function changeBetween(before: string, after: string): TextChange | undefined {
  if (before === after) return undefined
  const most = Math.min(before.length, after.length)
  let from = 0
  while (from < most && before.charCodeAt(from) === after.charCodeAt(from)) from++
  let end = 0
  while (end < most - from && at(before, end) === at(after, end)) end++
  // A character of two units is kept whole.
  if (isHigh(before.charCodeAt(from - 1)) || isHigh(after.charCodeAt(from - 1))) from--
  if (end > 0 && (isHigh(at(before, end)) || isHigh(at(after, end)))) end--
  return { from, to: before.length - end, insert: after.slice(from, after.length - end) }
}

/** Where a caret is after a change: behind what was put in where it stood. */
export function placeAfter({ from, to, insert }: TextChange, place: number): number {
  if (place < from) return place
  return place >= to ? place + insert.length - (to - from) : from + insert.length
}

/** The unit in front of so many at the end. */
function at(text: string, fromEnd: number): number {
  return text.charCodeAt(text.length - 1 - fromEnd)
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00
}
