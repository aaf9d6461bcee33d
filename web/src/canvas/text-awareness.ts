/**
 * Awareness as the text editor's binding wants it: it keeps its caret under `cursor`, where the canvas keeps the
 * pointer. The caret lives under `textCursor` instead.
 */
import type { Awareness } from 'y-protocols/awareness'

type State = Record<string, unknown>

export function textAwareness(awareness: Awareness) {
  const renamed = (state: State | null): State | null => state && { ...state, cursor: state.textCursor ?? null }
  return {
    doc: awareness.doc,
    clientID: awareness.clientID,
    on: awareness.on.bind(awareness),
    off: awareness.off.bind(awareness),
    getLocalState: () => renamed(awareness.getLocalState()),
    setLocalStateField: (field: string, value: unknown) =>
      awareness.setLocalStateField(field === 'cursor' ? 'textCursor' : field, value),
    getStates: () => new Map([...awareness.getStates()].map(([client, state]) => [client, renamed(state)])),
    get states() {
      return this.getStates()
    },
  }
}
