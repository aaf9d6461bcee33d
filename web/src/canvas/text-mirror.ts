/**
 * A shared text as the text editor can hold it, character for character [CANVAS-9]. Others may put things into a text that
 * are no characters: each is shown as one that stands for an object, so that places in both stay the same.
 */
import type * as Y from 'yjs'

const OBJECT = '\ufffc'

export function mirrorOf(text: Y.Text): string {
  return text
    .toDelta()
    .map(({ insert }: { insert: unknown }) => (typeof insert === 'string' ? insert : OBJECT))
    .join('')
}

/** Makes the changes that later observers of a text hear of such as the editor can hold. Returns how to stop. */
export function keepMirrored(text: Y.Text): () => void {
  const mirror = ({ delta }: Y.YTextEvent) => {
    for (const change of delta) {
      if (change.insert !== undefined && typeof change.insert !== 'string') change.insert = OBJECT
    }
  }
  text.observe(mirror)
  return () => text.unobserve(mirror)
}
