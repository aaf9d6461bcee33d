import { useState } from 'react'
import { LiveTextarea } from '../../../../components/live-field'
import { UNWRITTEN } from '../../keyboard/use-history'
import type { ControlProps } from './types'

/** A value of any shape, as JSON; written whenever it can be read. What is not JSON yet stays, as a number's does. */
export function JsonControl({ value, onChange, name, id }: ControlProps) {
  /** What is typed, and the value that goes with it. */
  const [draft, setDraft] = useState<{ text: string; stored: string }>()
  const stored = jsonOf(value)
  const shown = draft && draft.stored === stored ? draft.text : stored
  const read = parsed(shown)

  function change(text: string) {
    const next = parsed(text)
    setDraft({ text, stored: next ? jsonOf(next.value) : stored })
    if (next && jsonOf(next.value) !== stored) onChange(next.value)
  }

  return (
    <LiveTextarea
      id={id}
      aria-invalid={!read}
      rows={4}
      spellCheck={false}
      className="font-mono text-xs"
      value={shown}
      onChange={(event) => change(event.target.value)}
      onBlur={() => read && setDraft(undefined)}
      {...(read ? {} : UNWRITTEN)}
      data-testid={`field-${name}`}
    />
  )
}

function jsonOf(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value, null, 2)
}

/** `undefined`: it is not JSON. An empty text is no value. */
function parsed(text: string): { value: unknown } | undefined {
  if (text.trim() === '') return { value: undefined }
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}
