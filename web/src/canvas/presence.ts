/**
 * Who else is here: cursors, selections, drags, edited fields, carets. Carried by awareness, never written into the
 * document.
 *
 * What this session does goes out at most every 33 ms. What others do is told to each kind of listener at most once a
 * frame, and only when that kind changed.
 */
import type { Awareness } from 'y-protocols/awareness'
import type { Point } from './diagram'
import { type Caret, type Other, otherOf, type Person } from './other'

const SEND_MS = 33
/** The server takes 16 KiB of awareness from one session; what does not fit is not shown to others. */
const LIST_CHARS_MAX = 5_000

export type Aspect = 'people' | 'cursor' | 'selection' | 'field' | 'drag' | 'caret'

interface Local extends Partial<Pick<Other, 'cursor' | 'selection' | 'drag' | 'field'>> {
  textCursor?: Caret | null
}

const NOBODY: readonly Other[] = []

export class Presence {
  readonly awareness: Awareness
  /** By client, each kept for as long as its state is the same object. */
  #read = new Map<number, { state: unknown; other: Other | undefined }>()
  #others: readonly Other[] = NOBODY
  #bySelection = new Map<string, readonly Other[]>()
  #byField = new Map<string, readonly Other[]>()
  #drags = new Map<string, Point>()
  #carets = new Map<number, { user: Person; caret: Caret }>()
  readonly #listeners: Record<Aspect, Set<() => void>> = {
    people: new Set(),
    cursor: new Set(),
    selection: new Set(),
    field: new Set(),
    drag: new Set(),
    caret: new Set(),
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

  /** Where others are in a shared text, by session. */
  carets(): ReadonlyMap<number, { user: Person; caret: Caret }> {
    return this.#carets
  }

  /** Where this session is in a shared text, told or about to be. */
  caret(): Caret | null {
    return this.#pending.textCursor !== undefined
      ? this.#pending.textCursor
      : (this.awareness.getLocalState()?.textCursor ?? null)
  }

  readonly #onChange = () => {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(this.#look)
  }

  readonly #look = () => {
    this.#frame = 0
    const before = this.#others
    this.#others = this.#readStates()
    for (const aspect of changedAspects(before, this.#others)) {
      if (aspect === 'selection') this.#bySelection = groupBy(this.#others, (other) => other.selection)
      if (aspect === 'field') this.#byField = groupBy(this.#others, ({ field }) => (field ? [field] : []))
      if (aspect === 'drag') this.#drags = new Map(this.#others.flatMap(({ drag }) => Object.entries(drag ?? {})))
      if (aspect === 'caret') {
        this.#carets = new Map(
          this.#others.flatMap(({ client, user, caret }) => (caret ? [[client, { user, caret }] as const] : [])),
        )
      }
      for (const listener of this.#listeners[aspect]) listener()
    }
  }

  #readStates(): readonly Other[] {
    const before = this.#read
    this.#read = new Map()
    for (const [client, state] of this.awareness.getStates()) {
      if (client === this.awareness.clientID) continue
      const known = before.get(client)
      this.#read.set(client, known?.state === state ? known : { state, other: otherOf(client, state, known?.other) })
    }
    return [...this.#read.values()].flatMap(({ other }) => other ?? [])
  }
}

/** What has changed from one look to the next. Parts that say the same are the same objects. */
function changedAspects(before: readonly Other[], after: readonly Other[]): Aspect[] {
  const known = new Map(before.map((other) => [other.client, other]))
  const sameClients = before.length === after.length && after.every(({ client }) => known.has(client))
  const changed = (part: keyof Other) => after.some((other) => known.get(other.client)?.[part] !== other[part])
  const people = !sameClients || changed('user')
  const parts = ['cursor', 'selection', 'field', 'drag', 'caret'] as const
  return [...(people ? (['people'] as const) : []), ...parts.filter((part) => people || changed(part))]
}

/** The first of the selected and of the dragged nodes, as many as may be told. */
function bounded(local: Local): Local {
  return {
    ...local,
    ...(local.selection ? { selection: fitting([...local.selection]) } : {}),
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

function groupBy(others: readonly Other[], keys: (other: Other) => readonly string[]): Map<string, readonly Other[]> {
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
