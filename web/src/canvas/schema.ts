/** Reading the JSON Schema of a node type's config. */
import type { NodeTypeSpec } from '../api/types'
import type { CodeFields } from './document'

export type Widget = 'column' | 'columns' | 'code' | 'expression' | 'textarea' | 'secret'

export interface UiHints {
  widget?: Widget
  language?: string
  port?: string
  placeholder?: string
}

export interface JsonSchema {
  type?: string | string[]
  title?: string
  description?: string
  default?: unknown
  const?: unknown
  enum?: unknown[]
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  allOf?: JsonSchema[]
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: boolean | JsonSchema
  items?: JsonSchema
  minimum?: number
  maximum?: number
  minLength?: number
  examples?: unknown[]
  'x-ui'?: UiHints
}

export function configSchema(spec: NodeTypeSpec): JsonSchema {
  return spec.config_schema as JsonSchema
}

export function hints(schema: JsonSchema): UiHints {
  return schema['x-ui'] ?? {}
}

/** The config keys that are shared text on the canvas. */
export function codeFields(spec: NodeTypeSpec | undefined): CodeFields {
  const { properties = {}, required = [] } = spec ? configSchema(spec) : {}
  const all = new Set(Object.keys(properties).filter((key) => hints(properties[key] ?? {}).widget === 'code'))
  return { all, required: required.filter((key) => all.has(key)) }
}

export interface Choice {
  value: string
  label: string
  description?: string
}

/** What a field is, once nullability and single-branch wrappers are looked through. */
export type Shape =
  | { kind: 'string' }
  | { kind: 'number'; integer: boolean; minimum?: number; maximum?: number }
  | { kind: 'boolean' }
  | { kind: 'choice'; choices: Choice[] }
  | { kind: 'list'; items: JsonSchema }
  | { kind: 'object'; properties: Record<string, JsonSchema>; required: ReadonlySet<string> }
  | { kind: 'map'; values: JsonSchema }
  | { kind: 'json' }

export function shapeOf(schema: JsonSchema): Shape {
  const choices = choicesOf(schema)
  if (choices) return { kind: 'choice', choices }
  const branches = (schema.anyOf ?? schema.oneOf ?? schema.allOf)?.filter((branch) => branch.type !== 'null')
  if (branches?.length === 1 && branches[0]) return shapeOf(branches[0])
  const types = [schema.type ?? []].flat().filter((type) => type !== 'null')
  switch (types.length === 1 ? types[0] : undefined) {
    case 'string':
      return { kind: 'string' }
    case 'integer':
    case 'number':
      return { kind: 'number', integer: types[0] === 'integer', minimum: schema.minimum, maximum: schema.maximum }
    case 'boolean':
      return { kind: 'boolean' }
    case 'array':
      return { kind: 'list', items: schema.items ?? {} }
    case 'object':
      if (schema.properties) {
        return { kind: 'object', properties: schema.properties, required: new Set(schema.required) }
      }
      return { kind: 'map', values: typeof schema.additionalProperties === 'object' ? schema.additionalProperties : {} }
    default:
      return { kind: 'json' }
  }
}

/** Whether a field may be left out or be null. */
export function isNullable(schema: JsonSchema): boolean {
  return (
    [schema.type ?? []].flat().includes('null') ||
    [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].some((branch) => branch.type === 'null')
  )
}

/** Whether a text may have no character. */
export function mayBeEmpty(schema: JsonSchema): boolean {
  const branches = [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])]
  return branches.every(({ minLength = 0 }) => minLength === 0)
}

/** The value that a new item of a list starts with. */
export function initialValue(schema: JsonSchema): unknown {
  if (schema.default !== undefined) return schema.default
  const shape = shapeOf(schema)
  switch (shape.kind) {
    case 'string':
      return ''
    case 'number':
      return shape.minimum ?? 0
    case 'boolean':
      return false
    case 'choice':
      return shape.choices[0]?.value ?? ''
    case 'list':
      return []
    case 'map':
      return {}
    case 'json':
      return null
    case 'object':
      return Object.fromEntries(
        Object.entries(shape.properties)
          .filter(([key]) => shape.required.has(key))
          .map(([key, property]) => [key, initialValue(property)]),
      )
  }
}

function choicesOf(schema: JsonSchema): Choice[] | undefined {
  if (schema.enum) return schema.enum.filter((value) => typeof value === 'string').map((value) => choice(value))
  const branches = (schema.oneOf ?? schema.anyOf)?.filter((branch) => branch.type !== 'null')
  if (!branches || branches.length === 0) return undefined
  const choices = branches.flatMap((branch): Choice[] => {
    if (typeof branch.const === 'string') return [choice(branch.const, branch)]
    return choicesOf(branch) ?? []
  })
  return branches.every((branch) => typeof branch.const === 'string' || choicesOf(branch)) ? choices : undefined
}

function choice(value: string, schema: JsonSchema = {}): Choice {
  const description = schema.description
  return { value, label: schema.title ?? value.replaceAll('_', ' '), ...(description ? { description } : {}) }
}
