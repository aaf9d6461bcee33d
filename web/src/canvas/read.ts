/**
 * Reads what stands in the document, whatever it is [CANVAS-9].
 *
 * Total: others write the document too, and no value in it makes this throw. What cannot be read takes its default, as
 * in the server's projection, and is told as a flaw: one sentence for people.
 */
import * as Y from 'yjs'
import type { Config, DiagramEdge, Point } from './diagram'

/** Nobody places a step this far out, and a browser cannot draw there. */
export const POSITION_MAX = 10_000_000
/** Of the id of a node or an edge, as in the server's `model/src/diagram.rs`. */
export const ID_CHARS_MAX = 200
/** As the server reads: what is nested deeper is null. */
const JSON_DEPTH_MAX = 64

export interface NodeRead {
  /** It is a map, and so is its data: it can be edited. */
  whole: boolean
  /** `undefined`: nobody knows where it belongs. */
  position: Point | undefined
  label: string
  nodeType: string
  connectorType: string | undefined
  disabled: boolean
  notes: string | undefined
  parentId: string | undefined
  width: number | undefined
  height: number | undefined
  flaws: readonly string[]
}

export interface EdgeRead {
  /** `undefined`: nobody knows what it connects. */
  edge: DiagramEdge | undefined
  flaws: readonly string[]
}

export function readNode(id: string, value: unknown): NodeRead {
  const entry = value instanceof Y.Map ? value : undefined
  const held = entry?.get('data')
  const data = held instanceof Y.Map ? held : undefined
  const position = pointOf(entry?.get('position'))
  const parentId = textOf(entry?.get('parentId'))
  return {
    whole: data !== undefined,
    position,
    label: textOf(data?.get('label')) ?? '',
    nodeType: textOf(data?.get('nodeType')) ?? '',
    connectorType: textOf(data?.get('connectorType')),
    disabled: data?.get('disabled') === true,
    notes: textOf(data?.get('notes')),
    parentId,
    width: numberOf(entry?.get('width')),
    height: numberOf(entry?.get('height')),
    flaws: entry ? nodeFlaws(id, entry, held, position, parentId) : [`It is ${kindOf(value)}, not a step.`],
  }
}

export function readEdge(id: string, value: unknown): EdgeRead {
  if (!(value instanceof Y.Map)) return { edge: undefined, flaws: [`It is ${kindOf(value)}, not a connection.`] }
  const source = textOf(value.get('source'))
  const target = textOf(value.get('target'))
  const sourceHandle = textOf(value.get('sourceHandle'))
  const targetHandle = textOf(value.get('targetHandle'))
  const known = source !== undefined && target !== undefined
  return {
    edge: known
      ? {
          id,
          type: 'custom-edge',
          source,
          target,
          ...(sourceHandle === undefined ? {} : { sourceHandle }),
          ...(targetHandle === undefined ? {} : { targetHandle }),
        }
      : undefined,
    flaws: [
      ...idFlaws(id),
      ...(source === undefined ? ['It does not say where it starts.'] : []),
      ...(target === undefined ? ['It does not say where it ends.'] : []),
      ...wrong(value, { sourceHandle: isText, targetHandle: isText }),
    ],
  }
}

/** What is wrong with a sticky note. */
export function noteFlaws(value: unknown): readonly string[] {
  return value instanceof Y.Map || isPlainObject(value) ? [] : [`It is ${kindOf(value)}, not a note.`]
}

/** What is wrong with a value of `meta`. Only the viewport has a shape that is known here. */
export function metaFlaws(key: string, value: unknown): readonly string[] {
  if (key !== 'viewport') return []
  const known = pointOf(value) && isPlainObject(value) && (numberOf(value.zoom) ?? 0) > 0
  return known ? [] : [`It is ${kindOf(value)}, not a place to look at.`]
}

/** The entries of a config, shared or plain. `undefined`: it is neither. */
export function configEntries(value: unknown): [string, unknown][] | undefined {
  if (value instanceof Y.Map) return [...value.entries()]
  return isPlainObject(value) ? Object.entries(value) : undefined
}

export function configOf(value: unknown): Config {
  return Object.fromEntries((configEntries(value) ?? []).map(([key, part]) => [key, plain(part, 1)]))
}

/** The JSON of any value, as the server reads it: a shared text is a string, what JSON cannot say is null. */
export function plain(value: unknown, depth = 0): unknown {
  if (depth >= JSON_DEPTH_MAX) return null
  if (value instanceof Y.Text && !(value instanceof Y.XmlText)) return value.toString()
  if (value instanceof Y.Array) return value.toArray().map((item) => plain(item, depth + 1))
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1))
  const entries = configEntries(value)
  if (entries) return Object.fromEntries(entries.map(([key, part]) => [key, plain(part, depth + 1)]))
  if (typeof value === 'bigint') return Number(value)
  return isJsonScalar(value) ? value : null
}

/** The first characters of a shared text, without looking at the rest. */
export function beginningOf(text: Y.Text, chars: number): string {
  let beginning = ''
  for (let item = text._start; item && beginning.length < chars; item = item.right) {
    if (item.deleted || !(item.content instanceof Y.ContentString)) continue
    beginning += item.content.str.slice(0, chars - beginning.length)
  }
  return beginning
}

/** A text, shared or plain. */
export function textOf(value: unknown): string | undefined {
  if (value instanceof Y.Text && !(value instanceof Y.XmlText)) return value.toString()
  return typeof value === 'string' ? value : undefined
}

/** A point that can be drawn. */
export function pointOf(value: unknown): Point | undefined {
  if (!isPlainObject(value)) return undefined
  const [x, y] = [numberOf(value.x), numberOf(value.y)]
  const drawable = x !== undefined && y !== undefined && Math.abs(x) <= POSITION_MAX && Math.abs(y) <= POSITION_MAX
  return drawable ? { x, y } : undefined
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value) &&
    !(value instanceof Y.AbstractType) &&
    !(value instanceof Y.Doc)
  )
}

function nodeFlaws(
  id: string,
  entry: Y.Map<unknown>,
  data: unknown,
  position: Point | undefined,
  parentId: string | undefined,
): string[] {
  return [
    ...idFlaws(id),
    ...(position ? [] : ['Its position cannot be read.']),
    ...(parentId === id ? ['It is its own parent.'] : []),
    ...wrong(entry, { parentId: isText, width: isNumber, height: isNumber }),
    ...(data instanceof Y.Map ? dataFlaws(data) : [`Its data is ${kindOf(data)}.`]),
  ]
}

function dataFlaws(data: Y.Map<unknown>): string[] {
  const config = data.get('config')
  const entries = configEntries(config)
  return [
    ...(data.get('nodeType') === undefined ? ['It does not say of which kind it is.'] : []),
    ...wrong(data, { label: isText, nodeType: isText, connectorType: isText, notes: isText, disabled: isBoolean }),
    ...(config === undefined || entries ? [] : [`Its configuration is ${kindOf(config)} and counts as empty.`]),
    ...(entries ?? [])
      .filter(([, value]) => !isReadable(value, 1))
      .map(([key]) => `A part of “${short(key)}” cannot be read and counts as null.`),
  ]
}

function idFlaws(id: string): string[] {
  if (id === '') return ['Its id is empty.']
  return [...id].length > ID_CHARS_MAX ? [`Its id is longer than ${ID_CHARS_MAX} characters.`] : []
}

const NAMES: Record<string, string> = {
  label: 'name',
  nodeType: 'kind',
  connectorType: 'connector',
  disabled: 'switch',
  parentId: 'parent',
  sourceHandle: 'output port',
  targetHandle: 'input port',
}

/** The keys of a map that hold something else than they should. */
function wrong(map: Y.Map<unknown>, checks: Record<string, (value: unknown) => boolean>): string[] {
  return Object.entries(checks).flatMap(([key, isRight]) => {
    const value = map.get(key)
    return value === undefined || value === null || isRight(value)
      ? []
      : [`Its ${NAMES[key] ?? key} is ${kindOf(value)}.`]
  })
}

/** Whether `plain` leaves nothing out. */
function isReadable(value: unknown, depth: number): boolean {
  if (depth >= JSON_DEPTH_MAX) return false
  if (isText(value) || typeof value === 'bigint') return true
  if (value instanceof Y.Array) return value.toArray().every((item) => isReadable(item, depth + 1))
  if (Array.isArray(value)) return value.every((item) => isReadable(item, depth + 1))
  const entries = configEntries(value)
  return entries ? entries.every(([, part]) => isReadable(part, depth + 1)) : value === undefined || isJsonScalar(value)
}

function isJsonScalar(value: unknown): boolean {
  return value === null || typeof value === 'string' || typeof value === 'boolean' || isNumber(value)
}

function isText(value: unknown): boolean {
  return typeof value === 'string' || (value instanceof Y.Text && !(value instanceof Y.XmlText))
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value)
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean'
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function short(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}

/** What a value is, for people. */
function kindOf(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'empty'
  if (isText(value)) return 'a text'
  if (value instanceof Y.Array || Array.isArray(value)) return 'a list'
  if (value instanceof Y.Map) return 'a map'
  if (isPlainObject(value)) return 'a plain value'
  if (typeof value === 'number') return Number.isFinite(value) ? 'a number' : 'not a number'
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  return 'of a kind that is not known here'
}
