/** A value of a table as text. */
import type { ColumnType } from '../../../api/types'

const DIGITS_MAX = 6

export function isNumeric(type: ColumnType): boolean {
  return type === 'integer' || type === 'float' || type === 'decimal'
}

export function cellText(value: unknown): string {
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toFixed(DIGITS_MAX)))
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
