import { useState } from 'react'
import type { Shape } from '../../../../canvas/schema'
import { Input } from '../../../../components/field'
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

  function change(text: string) {
    const number = Number(text)
    const isEmpty = text.trim() === ''
    // A larger whole number would become another one.
    const isNumber = shape.integer ? Number.isSafeInteger(number) : Number.isFinite(number)
    const next = isEmpty ? undefined : isNumber ? number : value
    setDraft({ text, value: next })
    if (isEmpty || isNumber) onChange(next)
  }

  return (
    <Input
      id={id}
      aria-describedby={rest['aria-describedby']}
      aria-invalid={rest['aria-invalid']}
      inputMode={shape.integer ? 'numeric' : 'decimal'}
      value={draft && draft.value === value ? draft.text : stored}
      placeholder={schema.default == null ? undefined : String(schema.default)}
      onChange={(event) => change(event.target.value)}
      onBlur={() => setDraft(undefined)}
      className="tabular-nums"
      data-testid={`field-${name}`}
    />
  )
}
