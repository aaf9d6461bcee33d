/** A parameter's default as text: numbers, yes/no and JSON are what they look like, all else is a string. */

export function parsedValue(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return isRounded(text, value) ? text : value
  } catch {
    return text
  }
}

/** An identifier of many digits is no number here: the last of them would be others. */
function isRounded(text: string, value: unknown): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value) && /^\s*-?\d+\s*$/.test(text)
}

/** The text that reads back as this value. */
export function shownValue(value: unknown): string {
  return typeof value === 'string' && parsedValue(value) === value ? value : JSON.stringify(value)
}
