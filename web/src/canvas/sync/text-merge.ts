/** Three-way merge of texts: what one side has changed, applied to what the other side has made of the same text. */
import { diff } from '@codemirror/merge'
import { ChangeSet } from '@codemirror/state'
import type * as Y from 'yjs'

interface Hunk {
  from: number
  to: number
  insert: string
}

/** Beyond this many differing characters a difference is told more coarsely, in linear time. */
const SCAN_MAX = 5_000

/** Writes into a shared text what was changed from `base` to `mine`, and keeps what others have changed since `base`. */
export function mergeInto(theirs: Y.Text, base: string, mine: string): void {
  const text = theirs.toString()
  const foreign = hunks(base, text)
  const own = hunks(base, mine).flatMap((hunk) => beyond(hunk, foreign))
  const changes = ChangeSet.of(own, base.length).map(ChangeSet.of(foreign, base.length))
  let shift = 0
  changes.iterChanges((from, to, _fromB, _toB, inserted) => {
    const insert = inserted.toString()
    if (to > from) theirs.delete(from + shift, to - from)
    if (insert !== '') theirs.insert(from + shift, insert)
    shift += insert.length - (to - from)
  })
}

function hunks(before: string, after: string): Hunk[] {
  return diff(before, after, { scanLimit: SCAN_MAX }).map(({ fromA, toA, fromB, toB }) => ({
    from: fromA,
    to: toA,
    insert: after.slice(fromB, toB),
  }))
}

/** What of a change the other side does not have: an edit may have arrived although nobody told us so. */
function beyond(hunk: Hunk, foreign: readonly Hunk[]): Hunk[] {
  const same = foreign.find(
    ({ from, to, insert }) => from === hunk.from && to === hunk.to && hunk.insert.startsWith(insert),
  )
  if (!same) return [hunk]
  const rest = hunk.insert.slice(same.insert.length)
  return rest === '' ? [] : [{ from: hunk.to, to: hunk.to, insert: rest }]
}
