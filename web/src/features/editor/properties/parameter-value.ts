/** A parameter's default as text: numbers, yes/no and JSON are what they look like, all else is a string. */

export function parsedValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The text that reads back as this value. */
export function shownValue(value: unknown): string {
  return typeof value === 'string' && parsedValue(value) === value ? value : JSON.stringify(value)
}
