import { X } from 'lucide-react'
import { useState } from 'react'
import type { Column } from '../../../../api/types'
import { columnLabel } from '../../../../canvas/column-label'
import { useColumns } from '../../../../canvas/hooks'
import { hints, isNullable, type JsonSchema, mayBeEmpty } from '../../../../canvas/schema'
import { Combobox, type ComboboxOption } from '../../../../components/combobox'
import { UNWRITTEN } from '../../keyboard/use-history'
import type { ControlProps } from './types'

/** One column of what arrives at the step. A name that is not there yet can be typed. */
export function ColumnControl({ schema, value, onChange, node, name, id, ...rest }: ControlProps) {
  const options = optionsOf(useColumns(node, hints(schema).port), schema)
  const isUnnamed = value === '' && options.some((option) => option.value === '')
  return (
    <Combobox
      id={id}
      aria-invalid={rest['aria-invalid']}
      aria-describedby={rest['aria-describedby']}
      value={typeof value === 'string' ? value : ''}
      options={options}
      placeholder={isUnnamed ? columnLabel('') : 'Column'}
      onType={(text) => onChange(text === '' && isNullable(schema) ? undefined : text)}
      onChoose={onChange}
      testId={`field-${name}`}
    />
  )
}

/** Several columns, in order. */
export function ColumnsControl({ schema, value, onChange, node, name, id, ...rest }: ControlProps) {
  const columns = useColumns(node, hints(schema).port)
  const [draft, setDraft] = useState('')
  const chosen = Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
  const add = (column: string) => {
    setDraft('')
    if (!chosen.includes(column)) onChange([...chosen, column])
  }
  /** Spaces around a name belong to it only where a column has them. */
  const addTyped = (text: string) => {
    const column = columns.some((known) => known.name === text) ? text : text.trim()
    if (column === '') setDraft('')
    else add(column)
  }
  return (
    <div className="flex flex-col gap-1.5" data-testid={`columns-${name}`}>
      {chosen.length > 0 && (
        <ul className="flex flex-wrap gap-1">
          {chosen.map((column) => (
            <li
              key={column}
              className="flex h-6 items-center gap-1 whitespace-pre rounded-md border border-line bg-panel pr-0.5 pl-1.5 text-xs"
            >
              {columnLabel(column)}
              <button
                type="button"
                aria-label={`Remove ${columnLabel(column)}`}
                className="rounded p-0.5 text-faint hover:bg-hover hover:text-text"
                onClick={() => onChange(chosen.filter((other) => other !== column))}
              >
                <X className="size-3" />
              </button>
            </li>
          ))}
        </ul>
      )}
      <Combobox
        id={id}
        aria-invalid={rest['aria-invalid']}
        aria-describedby={rest['aria-describedby']}
        value={draft}
        options={optionsOf(
          columns.filter((column) => !chosen.includes(column.name)),
          schema.items ?? {},
        )}
        placeholder="Add a column"
        many
        onType={setDraft}
        onChoose={add}
        onEnter={addTyped}
        {...(draft === '' ? {} : UNWRITTEN)}
        testId={`field-${name}`}
      />
    </div>
  )
}

/** What can be chosen: the column without a name only where an empty name is allowed. */
function optionsOf(columns: readonly Column[], schema: JsonSchema): ComboboxOption[] {
  return columns
    .filter(({ name }) => name !== '' || mayBeEmpty(schema))
    .map(({ name, type }) => ({ value: name, label: columnLabel(name), detail: type }))
}
