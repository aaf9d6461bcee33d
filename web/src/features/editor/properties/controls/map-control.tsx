import { Plus, X } from 'lucide-react'
import { useState } from 'react'
import { initialValue, type JsonSchema } from '../../../../canvas/schema'
import { Button, IconButton } from '../../../../components/button'
import { Input } from '../../../../components/field'
import { UNWRITTEN } from '../../keyboard/use-history'
import { Control } from './control'
import type { ControlProps } from './types'

/** Names with values, such as headers. */
export function MapControl({ value, onChange, node, name, values, id }: ControlProps & { values: JsonSchema }) {
  const map = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  const entries = Object.entries(map)
  const itemSchema: JsonSchema = Object.keys(values).length === 0 ? { type: 'string' } : values

  const rename = (from: string, to: string) => {
    if (to === from || Object.hasOwn(map, to)) return
    onChange(Object.fromEntries(entries.map(([key, item]) => [key === from ? to : key, item])))
  }
  const remove = (key: string) => onChange(Object.fromEntries(entries.filter(([other]) => other !== key)))

  return (
    <div className="flex flex-col gap-1.5" data-testid={`map-${name}`}>
      {entries.map(([key, item], index) => (
        <div key={key} className="flex items-center gap-1">
          <KeyInput value={key} label={`Name ${index + 1}`} onCommit={(next) => rename(key, next)} />
          <div className="min-w-0 flex-1">
            <Control
              id={`${id}-${index}`}
              aria-describedby={undefined}
              aria-invalid={false}
              name={`${name}-${index}`}
              schema={itemSchema}
              value={item}
              node={node}
              onChange={(next) => onChange({ ...map, [key]: next ?? initialValue(itemSchema) })}
            />
          </div>
          <IconButton label={`Remove ${key}`} className="size-6" onClick={() => remove(key)}>
            <X className="size-3" />
          </IconButton>
        </div>
      ))}
      <Button
        id={id}
        variant="ghost"
        className="self-start"
        disabled={'' in map}
        onClick={() => onChange({ ...map, '': initialValue(itemSchema) })}
        data-testid={`add-${name}`}
      >
        <Plus className="size-3.5" aria-hidden />
        Add
      </Button>
    </div>
  )
}

function KeyInput({ value, label, onCommit }: { value: string; label: string; onCommit: (key: string) => void }) {
  const [draft, setDraft] = useState(value)
  return (
    <div className="w-28 shrink-0">
      <Input
        aria-label={label}
        placeholder="name"
        autoFocus={value === ''}
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={() => onCommit(draft)}
        onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
        {...(draft === value ? {} : UNWRITTEN)}
      />
    </div>
  )
}
