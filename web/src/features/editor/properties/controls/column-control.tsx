import { X } from 'lucide-react'
import { useState } from 'react'
import { useColumns } from '../../../../canvas/hooks'
import { hints } from '../../../../canvas/schema'
import { Combobox } from '../../../../components/combobox'
import type { ControlProps } from './types'

/** One column of what arrives at the step. A name that is not there yet can be typed. */
export function ColumnControl({ schema, value, onChange, node, name, id, ...rest }: ControlProps) {
  const columns = useColumns(node, hints(schema).port)
  return (
    <Combobox
      id={id}
      aria-invalid={rest['aria-invalid']}
      aria-describedby={rest['aria-describedby']}
      value={typeof value === 'string' ? value : ''}
      options={columns.map((column) => ({ value: column.name, detail: column.type }))}
      placeholder="Column"
      onChange={onChange}
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
    if (column.trim() && !chosen.includes(column.trim())) onChange([...chosen, column.trim()])
  }
  return (
    <div className="flex flex-col gap-1.5" data-testid={`columns-${name}`}>
      {chosen.length > 0 && (
        <ul className="flex flex-wrap gap-1">
          {chosen.map((column) => (
            <li
              key={column}
              className="flex h-6 items-center gap-1 rounded-md border border-line bg-panel pr-0.5 pl-1.5 text-xs"
            >
              {column}
              <button
                type="button"
                aria-label={`Remove ${column}`}
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
        options={columns
          .filter((column) => !chosen.includes(column.name))
          .map((column) => ({ value: column.name, detail: column.type }))}
        placeholder="Add a column"
        onChange={setDraft}
        onChoose={add}
        onLeave={add}
        testId={`field-${name}`}
      />
    </div>
  )
}
