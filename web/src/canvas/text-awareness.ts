/**
 * Awareness as the text editor's binding wants it: it keeps its caret under `cursor`, where the canvas keeps the
 * pointer. The caret lives under `textCursor` instead.
 *
 * The binding draws every caret anew on each change that it hears of. It hears only of those of carets, once a frame:
 * with fifty people at work a change of somebody's pointer arrives every millisecond.
 */
import type { Caret } from './other'
import type { Presence } from './presence'

type Listener = (changes: { added: number[]; updated: number[]; removed: number[] }) => void

export function textAwareness(presence: Presence) {
  const { awareness } = presence
  const unsubscribe = new Map<Listener, () => void>()
  return {
    doc: awareness.doc,
    clientID: awareness.clientID,
    on: (_event: 'change', listener: Listener) => {
      const told = () => listener({ added: [], updated: [...presence.carets().keys()], removed: [NOBODY] })
      unsubscribe.set(listener, presence.subscribe('caret', told))
    },
    off: (_event: 'change', listener: Listener) => {
      unsubscribe.get(listener)?.()
      unsubscribe.delete(listener)
    },
    getLocalState: () => ({ cursor: presence.caret() }),
    setLocalStateField: (_field: 'cursor', caret: Caret | null) => presence.tell({ textCursor: caret }),
    getStates: () =>
      new Map([...presence.carets()].map(([client, { user, caret }]) => [client, { user, cursor: caret }] as const)),
  }
}

/** Who has left is told to the binding as somebody other than this session. */
const NOBODY = -1
