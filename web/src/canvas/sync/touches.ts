/**
 * Which places of the document a transaction has edited.
 *
 * A place is named by its path (root map, id, key …), so that it can be found again in another copy of the canvas
 * whose items have other ids: after the server has rebuilt the document, or where an edit was refused.
 */
import * as Y from 'yjs'

/** Origins of what was not edited here. */
export const REMOTE = Symbol('from the server')
export const KEPT = Symbol('from this device')

export type Path = readonly string[]

export interface Touch {
  path: Path
  /** Of a shared text: what it was before. */
  base?: string
}

export function isLocal(transaction: Y.Transaction): boolean {
  return transaction.origin !== REMOTE && transaction.origin !== KEPT
}

/** To be asked in `afterTransaction`: later, what was deleted has lost its content. */
export function touchesOf(transaction: Y.Transaction): Touch[] {
  const touches: Touch[] = []
  // Types that are new or deleted in the transaction are not in `changed`: the key that holds them is.
  for (const [type, keys] of transaction.changed) {
    const path = pathOf(type)
    if (!path) continue
    for (const key of keys) {
      if (key !== null) touches.push({ path: [...path, key] })
      else touches.push(type instanceof Y.Text ? { path, base: textBefore(type, transaction) } : { path })
    }
  }
  return touches
}

type Shared = Y.Transaction['changed'] extends Map<infer T, unknown> ? T : never

function pathOf(type: Shared): string[] | undefined {
  const path: string[] = []
  let at = type
  while (at._item) {
    // What lies in a list has no lasting place: the list as a whole is the place.
    if (at._item.parentSub === null) path.length = 0
    else path.unshift(at._item.parentSub)
    at = at._item.parent as Shared
  }
  const root = [...(at.doc?.share ?? [])].find(([, shared]) => shared === at)
  return root && [root[0], ...path]
}

function textBefore(text: Y.Text, { beforeState, deleteSet }: Y.Transaction): string {
  let before = ''
  for (let item = text._start; item; item = item.right) {
    const { id, content, deleted } = item
    const wasThere = id.clock < (beforeState.get(id.client) ?? 0) && (!deleted || Y.isDeleted(deleteSet, id))
    if (wasThere && content instanceof Y.ContentString) before += content.str
  }
  return before
}
