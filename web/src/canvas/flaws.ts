/** What of the document cannot be read [CANVAS-9], followed as it changes. The page marks it and offers to delete it. */
import type * as Y from 'yjs'
import type { Diagnostic } from '../api/types'
import type { CanvasDocument, Root } from './document'
import { loops } from './loops'
import { metaFlaws, noteFlaws, readEdge, readNode } from './read'

/** A diagnostic of the page itself, about one entry of the document. */
export interface Flaw extends Diagnostic {
  root: Root
  id: string
}

export interface FlawList {
  flaws: readonly Flaw[]
  /** How many elements have flaws that are not in the list. */
  more: number
}

/** More are not listed: nobody reads them, and a document may hold a million. */
const LISTED_MAX = 1_000
/** Of one element. */
const MESSAGES_MAX = 3

const LOOPED = 'Its parents lead back to it.'
const NONE: ReadonlySet<string> = new Set()
const NAMES: Record<Root, string> = { nodes: 'step', edges: 'connection', notes: 'note', meta: 'setting' }
const CHECKS: Record<Root, (id: string, value: unknown) => readonly string[]> = {
  nodes: (id, value) => readNode(id, value).flaws,
  edges: (id, value) => readEdge(id, value).flaws,
  notes: (_, value) => noteFlaws(value),
  meta: metaFlaws,
}
const ROOTS = Object.keys(CHECKS) as Root[]

export class Flaws {
  readonly #document: CanvasDocument
  readonly #onChange: (list: FlawList) => void
  readonly #messages: Record<Root, Map<string, readonly string[]>> = {
    nodes: new Map(),
    edges: new Map(),
    notes: new Map(),
    meta: new Map(),
  }
  /** The parent of each node that has one. */
  readonly #parents = new Map<string, string>()
  #looped: ReadonlySet<string> = new Set()
  readonly #forget: (() => void)[]

  constructor(document: CanvasDocument, onChange: (list: FlawList) => void) {
    this.#document = document
    this.#onChange = onChange
    this.#forget = ROOTS.map((root) => this.#follow(root))
    this.#tell()
  }

  destroy(): void {
    for (const forget of this.#forget) forget()
  }

  #follow(root: Root): () => void {
    const entries = this.#document[root]
    const onEvents = (events: Y.YEvent<Y.AbstractType<unknown>>[]) => {
      const ids = new Set(
        events.flatMap((event) => (event.path.length === 0 ? [...event.changes.keys.keys()] : [String(event.path[0])])),
      )
      if (this.#check(root, ids)) this.#tell()
    }
    entries.observeDeep(onEvents)
    this.#check(root, entries.keys())
    return () => entries.unobserveDeep(onEvents)
  }

  /** Whether anything is told otherwise than before. */
  #check(root: Root, ids: Iterable<string>): boolean {
    let changed = false
    let parentsChanged = false
    for (const id of ids) {
      const value = this.#document[root].get(id)
      const flaws = this.#document[root].has(id) ? CHECKS[root](id, value) : []
      changed = replaced(this.#messages[root], id, flaws) || changed
      if (root === 'nodes') parentsChanged = this.#checkParent(id, value) || parentsChanged
    }
    if (parentsChanged) this.#looped = loops(this.#parents)
    return changed || parentsChanged
  }

  #checkParent(id: string, value: unknown): boolean {
    const { parentId } = readNode(id, value)
    const same = this.#parents.get(id) === parentId
    // A node that is its own parent has said so.
    if (parentId === undefined || parentId === id) return this.#parents.delete(id)
    this.#parents.set(id, parentId)
    return !same
  }

  #tell(): void {
    const flaws: Flaw[] = []
    let more = 0
    for (const root of ROOTS) {
      const looped = root === 'nodes' ? this.#looped : NONE
      for (const id of new Set([...this.#messages[root].keys(), ...looped])) {
        const messages = this.#messages[root].get(id) ?? []
        if (flaws.length === LISTED_MAX) more++
        else flaws.push(flawOf(root, id, looped.has(id) ? [...messages, LOOPED] : messages))
      }
    }
    this.#onChange({ flaws, more })
  }
}

function replaced(known: Map<string, readonly string[]>, id: string, flaws: readonly string[]): boolean {
  if (flaws.length === 0) return known.delete(id)
  const same = known.get(id)?.join() === flaws.join()
  known.set(id, flaws)
  return !same
}

function flawOf(root: Root, id: string, messages: readonly string[]): Flaw {
  const more = messages.length - MESSAGES_MAX
  const said = [...messages.slice(0, MESSAGES_MAX), ...(more > 0 ? [`${more} more parts are wrong.`] : [])]
  return {
    root,
    id,
    severity: 'warning',
    code: 'unreadable',
    message: `This ${NAMES[root]} is broken. ${said.join(' ')}`,
    fix: 'what cannot be read is left out of runs: put it right, or delete it',
    ...(root === 'nodes' ? { node: id } : root === 'edges' ? { edge: id } : { diagram: null }),
  }
}
