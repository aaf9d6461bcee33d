/**
 * Takes what was edited in one copy of the canvas and not saved to another copy whose items have other ids, place by
 * place, as ordinary edits.
 */
import * as Y from 'yjs'
import { plain } from '../read'
import { mergeInto } from './text-merge'
import type { Path, Touch } from './touches'

/** An edit that is this small is not what fills a canvas. */
const SMALL_CHARS = 64 * 1024

/** Writes the values that touched places have in `from` into `to`. Call it inside a transaction of `to`. */
export function carry(from: Y.Doc, to: Y.Doc, touches: readonly Touch[]): void {
  for (const { path, base } of touches) {
    const target = holderOf(to, path)
    const key = path.at(-1)
    if (!target || key === undefined) continue // Somebody has deleted what this was an edit of.
    write(target, key, at(from, path), base)
  }
}

/** Of edits that do not fit together: the small ones, which do, or none when all are small. */
export function fitting(doc: Y.Doc, touches: readonly Touch[]): readonly Touch[] {
  const small = touches.filter(({ path }) => (JSON.stringify(plain(at(doc, path)))?.length ?? 0) <= SMALL_CHARS)
  return small.length < touches.length ? small : []
}

/** What stands at these places, as a file that can be read elsewhere. */
export function asFile(doc: Y.Doc, paths: readonly Path[]): Blob {
  const changes = paths.map((path) => ({ path, value: plain(at(doc, path)) ?? null }))
  return new Blob([JSON.stringify({ format_version: 1, changes }, null, 2)], { type: 'application/json' })
}

/** The places whose values are not the same in both. */
export function differing(from: Y.Doc, to: Y.Doc, touches: readonly Touch[]): Path[] {
  const told = (doc: Y.Doc, path: Path) => JSON.stringify(plain(at(doc, path)))
  return touches.map(({ path }) => path).filter((path) => told(from, path) !== told(to, path))
}

function write(target: Y.Map<unknown>, key: string, value: unknown, base?: string): void {
  const present = target.get(key)
  if (value === undefined) {
    if (target.has(key)) target.delete(key)
  } else if (value instanceof Y.Text && present instanceof Y.Text) {
    mergeInto(present, base ?? present.toString(), value.toString())
  } else if (value instanceof Y.Map && present instanceof Y.Map) {
    for (const [inner, part] of value.entries()) write(present, inner, part)
  } else if (JSON.stringify(plain(value)) !== JSON.stringify(plain(present))) {
    target.set(key, value instanceof Y.AbstractType ? value.clone() : value)
  }
}

/** The map that has, or would have, the last key of a path. */
function holderOf(doc: Y.Doc, path: Path): Y.Map<unknown> | undefined {
  const holder = at(doc, path.slice(0, -1))
  return holder instanceof Y.Map ? holder : undefined
}

function at(doc: Y.Doc, [root, ...keys]: Path): unknown {
  if (root === undefined) return undefined
  return keys.reduce<unknown>((value, key) => (value instanceof Y.Map ? value.get(key) : undefined), doc.getMap(root))
}
