/**
 * What another session says of itself, believed only where it has the right shape [SYNC-9]. What is believed is copied,
 * part by part: nothing else of what was sent goes on.
 */
import * as Y from 'yjs'
import type { Point } from './diagram'
import { isPlainObject, pointOf } from './read'

export interface Person {
  id: string
  name: string
  color: string
}

/** Longer names are cut. */
const NAME_CHARS_MAX = 200

/** A selection in a shared text. */
export interface Caret {
  anchor: Y.RelativePosition
  head: Y.RelativePosition
}

export interface Other {
  client: number
  user: Person
  cursor: Point | null
  selection: readonly string[]
  drag: Readonly<Record<string, Point>> | null
  /** `nodeId:/pointer`. */
  field: string | null
  caret: Caret | null
}

/** Parts that say the same as before are the same objects. */
export function otherOf(client: number, said: unknown, before: Other | undefined): Other | undefined {
  const state = isPlainObject(said) ? said : {}
  const user = isPlainObject(state.user) ? state.user : {}
  if (typeof user.name !== 'string') return undefined
  const id = typeof user.id === 'string' ? user.id : `${client}`
  return {
    client,
    user: kept(before?.user, { id, name: user.name.slice(0, NAME_CHARS_MAX), color: color(user.color) }),
    cursor: kept(before?.cursor, pointOf(state.cursor) ?? null),
    selection: kept(
      before?.selection,
      Array.isArray(state.selection) ? state.selection.filter((node) => typeof node === 'string') : [],
    ),
    drag: kept(before?.drag, isPlainObject(state.drag) ? pointsOf(state.drag) : null),
    field: typeof state.field === 'string' ? state.field : null,
    caret: kept(before?.caret, caretOf(state.textCursor) ?? null),
  }
}

/** The former object where it says the same. */
function kept<T>(before: T | undefined, now: T): T {
  return before !== undefined && JSON.stringify(before) === JSON.stringify(now) ? before : now
}

function color(value: unknown): string {
  return typeof value === 'string' && /^#[0-9a-f]{6}$/i.test(value) ? value : '#7c7c8a'
}

function pointsOf(value: Record<string, unknown>): Record<string, Point> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([node, said]): [string, Point][] => {
      const point = pointOf(said)
      return point ? [[node, point]] : []
    }),
  )
}

function caretOf(value: unknown): Caret | undefined {
  const { anchor, head } = isPlainObject(value) ? value : {}
  const [from, to] = [placeOf(anchor), placeOf(head)]
  return from && to && { anchor: from, head: to }
}

/** A place in a text that is in the document: named by an item, or by the type whose end it is. */
function placeOf(value: unknown): Y.RelativePosition | undefined {
  if (!isPlainObject(value) || value.tname != null) return undefined
  const [item, type] = [idOf(value.item), idOf(value.type)]
  const assoc = typeof value.assoc === 'number' && value.assoc < 0 ? -1 : 0
  return item || type ? new Y.RelativePosition(type, null, item, assoc) : undefined
}

/** An id that Yjs can look up: it would end whoever asks for one below zero. */
function idOf(value: unknown): Y.ID | null {
  if (!isPlainObject(value)) return null
  const { client, clock } = value
  return isCount(client) && isCount(clock) ? Y.createID(client, clock) : null
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
