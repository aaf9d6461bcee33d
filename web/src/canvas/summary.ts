/** What a step's configuration comes to, in one line on its card. */
import * as Y from 'yjs'
import type { NodeTypeSpec } from '../api/types'
import { formatCount } from '../components/format'
import { beginningOf, plain } from './read'
import { configSchema, type JsonSchema, shapeOf } from './schema'

const SHOWN_MAX = 80
/** Of a text that may be long; blanks among them are not shown. */
const READ_MAX = 800

/** The first thing that a step cannot do without: the path it reads, the condition it applies, the columns it makes. */
export function summaryOf(spec: NodeTypeSpec | undefined, valueAt: (key: string) => unknown): string {
  if (!spec) return ''
  const { properties = {}, required = [] } = configSchema(spec)
  const telling = required.filter((key) => isTelling(properties[key]))
  for (const key of telling.length > 0 ? telling : Object.keys(properties)) {
    const schema = properties[key]
    if (!schema || !isTelling(schema)) continue
    const value = readAt(valueAt(key))
    const text = textOf(value)
    if (text) return typeof value === 'number' ? `${schema.title ?? key}: ${text}` : text
  }
  return ''
}

/** Of a text that is shared, only what may be shown. */
function readAt(value: unknown): unknown {
  return value instanceof Y.Text && !(value instanceof Y.XmlText) ? beginningOf(value, READ_MAX) : plain(value)
}

/** A choice says little without what it is about. */
function isTelling(schema: JsonSchema | undefined): boolean {
  return schema !== undefined && !['boolean', 'choice'].includes(shapeOf(schema).kind)
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value.slice(0, READ_MAX).trim().replace(/\s+/g, ' ').slice(0, SHOWN_MAX)
  // As somebody has set it, every digit of it.
  if (typeof value === 'number') return Number.isSafeInteger(value) ? formatCount(value) : String(value)
  if (Array.isArray(value)) return value.slice(0, 8).map(nameOf).filter(Boolean).join(', ').slice(0, SHOWN_MAX)
  return ''
}

/** An item of a list says what it is by its `name`, else by the column that it is about. */
function nameOf(item: unknown): string {
  if (typeof item === 'string') return item
  const { name, rename, column } = (item ?? {}) as Record<string, unknown>
  return ([name, rename, column].find((text) => typeof text === 'string' && text !== '') as string | undefined) ?? ''
}
