import { useState } from 'react'
import type { Shape } from '../../../../canvas/schema'
import { Input } from '../../../../components/field'
import type { ControlProps } from './types'

type NumberShape = Extract<Shape, { kind: 'number' }>

/** A number; what is not one yet, such as `-`, stays in the field until it is. */
export function NumberControl({
  schema,
  value,
  onChange,
  name,
  shape,
  id,
  ...rest
}: ControlProps & { shape: NumberShape }) {
  const [draft, setDraft] = useState<string>()
  const stored = typeof value === 'number' ? String(value) : ''

  function change(text: string) {
    setDraft(text)
    const number = Number(text)
    if (text.trim() === '') onChange(undefined)
    // A larger whole number would become another one.
    else if (shape.integer ? Number.isSafeInteger(number) : Number.isFinite(number)) onChange(number)
  }

  return (
    <Input
      id={id}
      aria-describedby={rest['aria-describedby']}
      aria-invalid={rest['aria-invalid']}
      inputMode={shape.integer ? 'numeric' : 'decimal'}
      value={draft ?? stored}
      placeholder={schema.default == null ? undefined : String(schema.default)}
      onChange={(event) => change(event.target.value)}
      onBlur={() => setDraft(undefined)}
      className="tabular-nums"
      data-testid={`field-${name}`}
    />
  )
}
