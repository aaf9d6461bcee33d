const UNNAMED = 'Unnamed column'

/** A column's name for people: files may leave one empty. */
export function columnLabel(name: string): string {
  return name === '' ? UNNAMED : name
}
