/**
 * Who else is here: cursors, selections, drags, edited fields. Carried by awareness, never written into the document.
 *
 * What this session does goes out at most every 33 ms. What others do is told to each kind of listener at most once a
 * frame, and only when that kind changed.
 */
import type { Awareness } from 'y-protocols/awareness'
import type { Point } from './diagram'

const SEND_MS = 33
/** The server takes 16 KiB of awareness from one session; what does not fit is not shown to others. */
const LIST_CHARS_MAX = 5_000

export interface Person {
  id: string
  name: string
  color: string
}

export interface Other {
  client: number
  user: Person
  cursor: Point | null
  selection: string[]
  drag: Record<string, Point> | null
  /** `nodeId:/pointer`. */
  field: string | null
}

type Aspect = 'others' | 'selection' | 'field' | 'drag'
type Local = Partial<Pick<Other, 'cursor' | 'selection' | 'drag' | 'field'>>

const NOBODY: readonly Other[] = []

export class Presence {
  readonly awareness: Awareness
  #others: readonly Other[] = NOBODY
  #bySelection = new Map<string, readonly Other[]>()
  #byField = new Map<string, readonly Other[]>()
  #drags = new Map<string, Point>()
  readonly #listeners: Record<Aspect, Set<() => void>> = {
    others: new Set(),
    selection: new Set(),
    field: new Set(),
    drag: new Set(),
  }
  #frame = 0
  #pending: Local = {}
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(awareness: Awareness, me: Person) {
    this.awareness = awareness
    awareness.setLocalState({ user: me, cursor: null, selection: [], drag: null, field: null })
    awareness.on('change', this.#onChange)
  }

  destroy(): void {
    clearTimeout(this.#timer)
    cancelAnimationFrame(this.#frame)
    this.awareness.off('change', this.#onChange)
  }

  /** Tells the others what this session does, soon. */
  tell(local: Local): void {
    this.#pending = { ...this.#pending, ...local }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      const state = this.awareness.getLocalState()
      const pending = this.#pending
      this.#pending = {}
      if (state) this.awareness.setLocalState({ ...state, ...bounded(pending) })
    }, SEND_MS)
  }

  subscribe(aspect: Aspect, listener: () => void): () => void {
    this.#listeners[aspect].add(listener)
    return () => this.#listeners[aspect].delete(listener)
  }

  others(): readonly Other[] {
    return this.#others
  }

  selecting(node: string): readonly Other[] {
    return this.#bySelection.get(node) ?? NOBODY
  }

  editing(field: string): readonly Other[] {
    return this.#byField.get(field) ?? NOBODY
  }

  /** Where others are dragging nodes to, right now. */
  drags(): ReadonlyMap<string, Point> {
    return this.#drags
  }

  readonly #onChange = () => {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(this.#read)
  }

  readonly #read = () => {
    this.#frame = 0
    const before = this.#others
    this.#others = [...this.awareness.getStates()]
      .filter(([client]) => client !== this.awareness.clientID)
      .map(([client, state]) => otherOf(client, state))
      .filter((other) => other !== undefined)
    this.#notify('others')
    if (differs(before, this.#others, (other) => other.selection)) {
      this.#bySelection = groupBy(this.#others, (other) => other.selection)
      this.#notify('selection')
    }
    if (differs(before, this.#others, (other) => other.field)) {
      this.#byField = groupBy(this.#others, (other) => (other.field ? [other.field] : []))
      this.#notify('field')
    }
    if (differs(before, this.#others, (other) => other.drag)) {
      this.#drags = new Map(this.#others.flatMap((other) => Object.entries(other.drag ?? {})))
      this.#notify('drag')
    }
  }

  #notify(aspect: Aspect): void {
    for (const listener of this.#listeners[aspect]) listener()
  }
}

/** The first of the selected and of the dragged nodes, as many as may be told. */
function bounded(local: Local): Local {
  return {
    ...local,
    ...(local.selection ? { selection: fitting(local.selection) } : {}),
    ...(local.drag ? { drag: Object.fromEntries(fitting(Object.entries(local.drag))) } : {}),
  }
}

function fitting<T>(entries: T[]): T[] {
  let chars = 0
  return entries.filter((entry) => {
    chars += JSON.stringify(entry).length + 1
    return chars <= LIST_CHARS_MAX
  })
}

/** What another session says of itself, believed only where it has the right shape. */
function otherOf(client: number, state: Record<string, unknown>): Other | undefined {
  const user = state.user as Partial<Person> | undefined
  if (typeof user?.name !== 'string') return undefined
  const drag = state.drag
  return {
    client,
    user: { id: String(user.id ?? client), name: user.name, color: color(user.color) },
    cursor: isPoint(state.cursor) ? state.cursor : null,
    selection: Array.isArray(state.selection) ? state.selection.filter((id) => typeof id === 'string') : [],
    drag:
      typeof drag === 'object' && drag !== null
        ? Object.fromEntries(Object.entries(drag).filter((entry): entry is [string, Point] => isPoint(entry[1])))
        : null,
    field: typeof state.field === 'string' ? state.field : null,
  }
}

function color(value: unknown): string {
  return typeof value === 'string' && /^#[0-9a-f]{6}$/i.test(value) ? value : '#7c7c8a'
}

function isPoint(value: unknown): value is Point {
  return (
    typeof value === 'object' &&
    value !== null &&
    Number.isFinite((value as Point).x) &&
    Number.isFinite((value as Point).y)
  )
}

function differs(before: readonly Other[], after: readonly Other[], aspect: (other: Other) => unknown): boolean {
  const told = (others: readonly Other[]) =>
    JSON.stringify(others.map((other) => [other.client, other.user, aspect(other)]))
  return told(before) !== told(after)
}

function groupBy(others: readonly Other[], keys: (other: Other) => string[]): Map<string, readonly Other[]> {
  const groups = new Map<string, Other[]>()
  for (const other of others) {
    for (const key of keys(other)) {
      const group = groups.get(key)
      if (group) group.push(other)
      else groups.set(key, [other])
    }
  }
  return groups
}
