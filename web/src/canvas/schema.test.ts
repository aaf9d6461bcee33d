import { describe, expect, test } from 'vitest'
import { initialValue, isNullable, type JsonSchema, shapeOf } from './schema'

describe('the shape of a field', () => {
  test('an enumeration whose variants are documented offers them with what they mean', () => {
    const schema: JsonSchema = { oneOf: [{ const: 'inner', description: 'Only matches.' }, { const: 'left_outer' }] }
    expect(shapeOf(schema)).toEqual({
      kind: 'choice',
      choices: [
        { value: 'inner', label: 'inner', description: 'Only matches.' },
        { value: 'left_outer', label: 'left outer' },
      ],
    })
  })

  test('an optional value is what it is when it is there', () => {
    expect(shapeOf({ type: ['integer', 'null'], minimum: 1 })).toMatchObject({
      kind: 'number',
      integer: true,
      minimum: 1,
    })
    expect(shapeOf({ anyOf: [{ type: 'string' }, { type: 'null' }] })).toEqual({ kind: 'string' })
    expect(shapeOf({ anyOf: [{ enum: ['a', 'b'] }, { type: 'null' }] })).toMatchObject({ kind: 'choice' })
    expect(isNullable({ type: ['integer', 'null'] })).toBe(true)
    expect(isNullable({ anyOf: [{ type: 'string' }, { type: 'null' }] })).toBe(true)
    expect(isNullable({ type: 'string' })).toBe(false)
  })

  test('an object with properties is a form, one without is a map', () => {
    expect(shapeOf({ type: 'object', properties: { a: {} }, required: ['a'] })).toMatchObject({ kind: 'object' })
    expect(shapeOf({ type: 'object', additionalProperties: { type: 'string' } })).toEqual({
      kind: 'map',
      values: { type: 'string' },
    })
  })

  test('what is of several kinds is edited as JSON', () => {
    expect(shapeOf({ anyOf: [{ type: 'string' }, { type: 'object' }] })).toEqual({ kind: 'json' })
    expect(shapeOf({})).toEqual({ kind: 'json' })
  })
})

test('a new item of a list has what it must have, and nothing else', () => {
  const item: JsonSchema = {
    type: 'object',
    required: ['column', 'descending'],
    properties: {
      column: { type: 'string' },
      descending: { type: 'boolean', default: true },
      nulls_last: { type: 'boolean' },
    },
  }
  expect(initialValue(item)).toEqual({ column: '', descending: true })
})
