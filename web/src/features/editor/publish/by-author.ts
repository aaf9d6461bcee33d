/** Changes as they are shown: by author, each with the greatest first. */
import type { Change } from '../../../api/types'

export interface AuthorChanges {
  id: string
  name: string
  changes: Change[]
}

const ORDER = ['added', 'removed', 'changed', 'moved'] as const

export function byAuthor(changes: readonly Change[]): AuthorChanges[] {
  const authors = new Map<string, AuthorChanges>()
  for (const change of changes) {
    const { id, name } = change.by
    const author = authors.get(id) ?? { id, name: name ?? 'Somebody', changes: [] }
    author.changes.push(change)
    authors.set(id, author)
  }
  for (const author of authors.values()) {
    author.changes.sort((a, b) => ORDER.indexOf(a.change) - ORDER.indexOf(b.change) || b.at - a.at)
  }
  return [...authors.values()].sort((a, b) => a.name.localeCompare(b.name))
}

const KINDS = { node: 'step', edge: 'connection', note: 'note' } as const

/** What an element is called: by its label, or by what it is. */
export function nameOf({ kind, label }: Change): string {
  return label || `a ${KINDS[kind]}`
}
