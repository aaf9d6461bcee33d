import { useState } from 'react'
import type { Shape } from '../../../../canvas/schema'
import { LiveInput } from '../../../../components/live-field'
import { UNWRITTEN } from '../../keyboard/use-history'
import type { ControlProps } from './types'

type NumberShape = Extract<Shape, { kind: 'number' }>

/** A number; what is not one yet, such as `-`, stays in the field until it is, or until somebody else sets another. */
export function NumberControl({
  schema,
  value,
  onChange,
  name,
  shape,
  id,
  ...rest
}: ControlProps & { shape: NumberShape }) {
  /** What is typed, and the value that goes with it. */
  const [draft, setDraft] = useState<{ text: string; value: unknown }>()
  const stored = typeof value === 'number' ? String(value) : ''

  const shown = draft && draft.value === value ? draft.text : stored

  function change(text: string) {
    const next = isNumber(text, shape) ? numberOf(text) : value
    setDraft({ text, value: next })
    if (next !== value) onChange(next)
  }

  return (
    <LiveInput
      id={id}
      aria-describedby={rest['aria-describedby']}
      aria-invalid={rest['aria-invalid']}
      inputMode={shape.integer ? 'numeric' : 'decimal'}
      value={shown}
      placeholder={schema.default == null ? undefined : String(schema.default)}
      onChange={(event) => change(event.target.value)}
      onBlur={() => setDraft(undefined)}
      className="tabular-nums"
      {...(isNumber(shown, shape) ? {} : UNWRITTEN)}
      data-testid={`field-${name}`}
    />
  )
}

/** Or nothing. */
function isNumber(text: string, { integer }: NumberShape): boolean {
  const number = Number(text)
  // A larger whole number would become another one.
  return integer ? Number.isSafeInteger(number) : Number.isFinite(number)
}

function numberOf(text: string): number | undefined {
  return text.trim() === '' ? undefined : Number(text)
}
