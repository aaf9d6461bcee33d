/** A table as text that spreadsheets take: a header, a row a line, tabs between. */
import { wholeText } from './cell'

export function tsvOf(columns: readonly string[], rows: readonly Readonly<Record<string, unknown>>[]): string {
  const lines = [columns.map(fieldOf), ...rows.map((row) => columns.map((column) => fieldOf(row[column])))]
  return lines.map((fields) => fields.join('\t')).join('\n')
}

/** As it is, not as it is shown: no digit is left out. What would break the table stands in quotes. */
function fieldOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  const text = wholeText(value)
  return /[\t\n\r"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
