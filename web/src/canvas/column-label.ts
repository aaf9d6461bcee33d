const UNNAMED = 'Unnamed column'

/** A column's name for people, on one line: files may leave one empty, or break it. */
export function columnLabel(name: string): string {
  return name === '' ? UNNAMED : name.replace(/[\r\n]+/g, ' ')
}
