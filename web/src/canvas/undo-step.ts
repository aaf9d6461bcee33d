/**
 * One step of undo or redo, in the document as it is now: it deletes what the step put there, and brings back what the
 * step deleted.
 *
 * The value of a key is brought back only where the step's own value stands still, or where nobody else has removed it
 * since. What is brought back is a copy, and the item that it stands for says so (`redone`).
 */
import * as Y from 'yjs'

type Type = Y.AbstractType<unknown>
type Ranges = Y.UndoManager['undoStack'][number]['insertions']

export class UndoStep {
  readonly #transaction: Y.Transaction
  /** The values that others removed. */
  readonly #removed: ReadonlySet<string>
  /** What the step put there and what stands still. */
  readonly #standing: ReadonlySet<Y.Item>
  /** What the step deleted of what was there before it. */
  readonly #deleted = new Set<Y.Item>()
  readonly #returning: ReadonlySet<Y.Item>

  constructor(
    transaction: Y.Transaction,
    { insertions, deletions }: { insertions: Ranges; deletions: Ranges },
    removed: ReadonlySet<string>,
  ) {
    this.#transaction = transaction
    this.#removed = removed
    const put: Y.Item[] = []
    Y.iterateDeletedStructs(transaction, insertions, ({ id, length }) => put.push(...this.#latest(id, length)))
    Y.iterateDeletedStructs(transaction, deletions, (struct) => {
      if (struct instanceof Y.Item && !Y.isDeleted(insertions, struct.id)) this.#deleted.add(struct)
    })
    this.#standing = new Set(put.filter(({ deleted }) => !deleted))
    this.#returning = new Set([...this.#deleted].filter((item) => this.#mayReturn(item)))
  }

  /** `false`: nothing is left of it. */
  takeBack(): boolean {
    const { changed } = this.#transaction
    for (const item of this.#returning) this.#bringBack(item)
    // What is inside comes before what it is in.
    for (const item of [...this.#standing].reverse()) item.delete(this.#transaction)
    // Yjs remembers where it was in a list.
    for (const [type, keys] of changed) if (keys.has(null) && type._searchMarker) type._searchMarker.length = 0
    return this.#returning.size + this.#standing.size > 0
  }

  // --- what may return ---

  #mayReturn(item: Y.Item): boolean {
    const holder = holderOf(item)
    if (holder?.deleted && !holder.redone) {
      // It goes back together with what it is in.
      return this.#deleted.has(holder) && this.#mayReturn(holder) && this.#isLastOfStep(item)
    }
    if (typesOf(this.#transaction, item).at(-1)?._item?.deleted) return false
    return item.parentSub === null || (this.#isLastOfStep(item) && this.#isUntouched(item))
  }

  /** Of several values of one key that the step replaced, only the last one returns. */
  #isLastOfStep(item: Y.Item): boolean {
    return item.parentSub === null || !rightOf(item).some((later) => this.#deleted.has(later))
  }

  /** Whether a key is as the step has left it: with the step's own value, or removed by nobody else. */
  #isUntouched(item: Y.Item): boolean {
    const copies = typesOf(this.#transaction, item).slice(1)
    const later = [...rightOf(item), ...copies.flatMap((type) => valuesOf(type, item.parentSub))]
    const value = later.find(({ deleted }) => !deleted)
    if (value) return this.#standing.has(value)
    return !later.some((other) => idsOf(other).some((id) => this.#removed.has(id)))
  }

  // --- bringing back ---

  #bringBack(item: Y.Item): void {
    if (item.redone) return
    const holder = holderOf(item)
    if (holder && this.#returning.has(holder)) this.#bringBack(holder)
    if (item.redone) return
    const type = typesOf(this.#transaction, item).at(-1) as Type
    const [left, right] = this.#placeOf(item, type)
    const { store, clientID } = this.#transaction.doc
    const id = Y.createID(clientID, Y.getState(store, clientID))
    const [after, before] = [left?.lastId ?? null, right?.id ?? null]
    const copy = new Y.Item(id, left, after, right, before, type, item.parentSub, item.content.copy())
    item.redone = id
    keep(copy)
    copy.integrate(this.#transaction, 0)
    // A text goes back in the order in which it stood.
    const held = item.content instanceof Y.ContentType ? item.content.type._start : null
    for (let part = held; part; part = part.right) if (this.#returning.has(part)) this.#bringBack(part)
  }

  /** Two neighbours, so that everybody finds the same place between them. */
  #placeOf(item: Y.Item, type: Type): [Y.Item | null, Y.Item | null] {
    if (item.parentSub !== null) return [type._map.get(item.parentSub) ?? null, null]
    if (item.parent === type) return [item.left, item]
    let left = item.left
    for (const next of typesOf(this.#transaction, item).slice(1)) {
      while (left && this.#copyIn(next, left) === undefined) left = left.left
      left = left && (this.#copyIn(next, left) ?? null)
    }
    return [left, left ? left.right : type._start]
  }

  /** The end of an item's copy in another list, if it was brought back there. */
  #copyIn(type: Type, { redone, length }: Y.Item): Y.Item | undefined {
    if (!redone || Y.getItemCleanStart(this.#transaction, redone).parent !== type) return undefined
    const { store } = this.#transaction.doc
    return Y.getItemCleanEnd(this.#transaction, store, Y.createID(redone.client, redone.clock + length - 1))
  }

  /** What stands for these characters or this value now, which may be in parts, and parts of others. */
  #latest({ client, clock }: Y.ID, length: number): Y.Item[] {
    const { store } = this.#transaction.doc
    const items: Y.Item[] = []
    const end = clock + length
    for (let at = clock; at < end; ) {
      const item = Y.getItemCleanStart(this.#transaction, Y.createID(client, at))
      const part = Math.min(item.id.clock + item.length, end) - at
      at += part
      // What is gone for good is no item any more.
      if (!(item instanceof Y.Item)) continue
      Y.getItemCleanEnd(this.#transaction, store, Y.createID(client, at - 1))
      items.push(...(item.redone ? this.#latest(item.redone, part) : [item]))
    }
    return items
  }
}

/** Names of what an item holds: neighbours in time may have become one item. */
export function idsOf({ id: { client, clock }, length }: Y.Item): string[] {
  return Array.from({ length }, (_, place) => `${client} ${clock + place}`)
}

function holderOf(item: Y.Item): Y.Item | null {
  return (item.parent as Type)._item
}

/** The map or list that an item is in, and the copies of that one, the newest last: those that are not gone for good. */
function typesOf(transaction: Y.Transaction, item: Y.Item): Type[] {
  const types = [item.parent as Type]
  for (let redone = holderOf(item)?.redone; redone; ) {
    const copy: Y.Item = Y.getItemCleanStart(transaction, redone)
    if (!(copy.content instanceof Y.ContentType)) break
    types.push(copy.content.type)
    redone = copy.redone
  }
  return types
}

/** The values that a key had after this one. */
function rightOf(item: Y.Item): Y.Item[] {
  const items: Y.Item[] = []
  for (let next = item.right; next; next = next.right) items.push(next)
  return items
}

/** All the values that a key ever had. */
function valuesOf(type: Type, key: string | null): Y.Item[] {
  const items: Y.Item[] = []
  for (let value = type._map.get(key ?? '') ?? null; value; value = value.left) items.push(value)
  return items
}

/** Yjs throws away the content of what is deleted, but for what is kept. */
function keep(item: Y.Item): void {
  for (let at: Y.Item | null = item; at && !at.keep; at = holderOf(at)) at.keep = true
}
