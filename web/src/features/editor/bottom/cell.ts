/** A value of a table as text. */
import type { ColumnType } from '../../../api/types'
import { formatNumber } from '../../../components/format'

export function isNumeric(type: ColumnType): boolean {
  return type === 'integer' || type === 'float' || type === 'decimal'
}

/** As there is room for. */
export function cellText(value: unknown): string {
  return typeof value === 'number' ? formatNumber(value) : wholeText(value)
}

/** With every digit. */
export function wholeText(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
