/** What another session says of itself, believed only where it has the right shape. */
import type * as Y from 'yjs'
import type { Point } from './diagram'

export interface Person {
  id: string
  name: string
  color: string
}

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
export function otherOf(client: number, state: Record<string, unknown>, before: Other | undefined): Other | undefined {
  const user = state.user as Partial<Person> | undefined
  if (typeof user?.name !== 'string') return undefined
  const { drag } = state
  return {
    client,
    user: kept(before?.user, { id: String(user.id ?? client), name: user.name, color: color(user.color) }),
    cursor: kept(before?.cursor, isPoint(state.cursor) ? state.cursor : null),
    selection: kept(
      before?.selection,
      Array.isArray(state.selection) ? state.selection.filter((id) => typeof id === 'string') : [],
    ),
    drag: kept(
      before?.drag,
      isObject(drag)
        ? Object.fromEntries(Object.entries(drag).filter((entry): entry is [string, Point] => isPoint(entry[1])))
        : null,
    ),
    field: typeof state.field === 'string' ? state.field : null,
    caret: kept(before?.caret, isCaret(state.textCursor) ? state.textCursor : null),
  }
}

/** The former object where it says the same. */
function kept<T>(before: T | undefined, now: T): T {
  return before !== undefined && JSON.stringify(before) === JSON.stringify(now) ? before : now
}

function color(value: unknown): string {
  return typeof value === 'string' && /^#[0-9a-f]{6}$/i.test(value) ? value : '#7c7c8a'
}

function isPoint(value: unknown): value is Point {
  return isObject(value) && Number.isFinite(value.x) && Number.isFinite(value.y)
}

function isCaret(value: unknown): value is Caret {
  return isObject(value) && isPosition(value.anchor) && isPosition(value.head)
}

/** A place in a text that is in the document: named by an item, or by the type whose end it is. */
function isPosition(value: unknown): boolean {
  return isObject(value) && value.tname == null && (isItemId(value.item) || isItemId(value.type))
}

function isItemId(value: unknown): boolean {
  return isObject(value) && Number.isSafeInteger(value.client) && Number.isSafeInteger(value.clock)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
