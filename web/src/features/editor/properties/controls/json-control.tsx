import { useState } from 'react'
import { Textarea } from '../../../../components/field'
import type { ControlProps } from './types'

/** A value of any shape, as JSON; written whenever it can be read. */
export function JsonControl({ value, onChange, name, id }: ControlProps) {
  const [draft, setDraft] = useState<string>()
  const stored = value === undefined ? '' : JSON.stringify(value, null, 2)
  const isValid = draft === undefined || draft.trim() === '' || parsed(draft) !== undefined

  function change(text: string) {
    setDraft(text)
    if (text.trim() === '') return onChange(undefined)
    const next = parsed(text)
    if (next !== undefined) onChange(next)
  }

  return (
    <Textarea
      id={id}
      aria-invalid={!isValid}
      rows={4}
      spellCheck={false}
      className="font-mono text-xs"
      value={draft ?? stored}
      onChange={(event) => change(event.target.value)}
      onBlur={() => isValid && setDraft(undefined)}
      data-testid={`field-${name}`}
    />
  )
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
