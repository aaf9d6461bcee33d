/** Values that nobody well-behaved writes into a document, of every kind that Yjs can carry. */
import * as Y from 'yjs'
import type { Random } from './random'

type Make = (random: Random, depth: number) => unknown

const KINDS: Make[] = [
  () => 'a text',
  () => '',
  () => '\u0000\ud800<b>&"\'$\u202e',
  () => 'long '.repeat(2_000),
  () => 0,
  () => -1,
  () => Number.NaN,
  () => Number.POSITIVE_INFINITY,
  () => 1e308,
  () => Number.MAX_SAFE_INTEGER,
  () => 12345678901234567890n,
  () => true,
  () => false,
  () => null,
  () => undefined,
  () => new Uint8Array([1, 2, 3]),
  () => [],
  () => ({}),
  () => ({ x: 'left', y: null }),
  () => ({ x: Number.NaN, y: 1 }),
  () => ({ toString: 1, length: 3, data: { label: 'x', constructor: null } }),
  (random, depth) => [junk(random, depth), junk(random, depth)],
  (random, depth) => ({ a: junk(random, depth), id: junk(random, depth) }),
  () => nested(200),
  () => new Y.Text('shared'),
  () => new Y.Text(),
  () => new Y.XmlText('marked up'),
  () => new Y.XmlElement('p'),
  () => new Y.XmlFragment(),
  () => new Y.Map(),
  (random, depth) => new Y.Map([['data', shared(random, depth)]]),
  (random, depth) => Y.Array.from([listable(shared(random, depth))] as never[]),
  () => nestedMaps(80),
]

/** Any value. Inside a plain value only plain ones can stand. */
export function junk(random: Random, depth = 0): unknown {
  const value = random.oneOf(KINDS)(random, depth + 1)
  return depth > 0 && (value instanceof Y.AbstractType || depth > 3) ? null : value
}

/** Any value that can stand in a shared type. */
function shared(random: Random, depth: number): unknown {
  return depth > 3 ? 'deep' : random.oneOf(KINDS)(random, depth + 1)
}

/** Yjs writes neither of these into a list. */
function listable(value: unknown): unknown {
  return value === undefined || typeof value === 'bigint' ? null : value
}

function nested(depth: number): unknown {
  let value: unknown = 'end'
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value }
  return value
}

function nestedMaps(depth: number): Y.Map<unknown> {
  let value = new Y.Map<unknown>([['end', 1]])
  for (let level = 0; level < depth; level++) value = new Y.Map<unknown>([['a', value]])
  return value
}
