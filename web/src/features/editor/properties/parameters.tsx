import { Plus, X } from 'lucide-react'
import { useState } from 'react'
import { Button, IconButton } from '../../../components/button'
import { Input } from '../../../components/field'
import { parsedValue, shownValue } from './parameter-value'

type Parameters = Readonly<Record<string, unknown>>

/** The workflow's parameters and their defaults. A row is written when it is left, once it has a name. */
export function ParametersField({ value, onCommit }: { value: Parameters; onCommit: (value: Parameters) => void }) {
  const [adding, setAdding] = useState(false)
  const entries = Object.entries(value)
  const replace = (from: string | undefined, name: string, text: string) => {
    const others = entries.filter(([key]) => key !== from)
    if (name === '' || others.some(([key]) => key === name)) return false
    const changed = [name, parsedValue(text)] as const
    onCommit(
      Object.fromEntries(
        from === undefined ? [...entries, changed] : entries.map((entry) => (entry[0] === from ? changed : entry)),
      ),
    )
    return true
  }

  return (
    <fieldset className="flex flex-col gap-1.5" data-testid="parameters">
      <legend className="pb-1 font-medium text-muted text-xs">Parameters</legend>
      {entries.map(([name, item]) => (
        <Row
          key={`${name} ${JSON.stringify(item)}`}
          name={name}
          text={shownValue(item)}
          onCommit={(next, text) => replace(name, next, text)}
          onRemove={() => onCommit(Object.fromEntries(entries.filter(([key]) => key !== name)))}
        />
      ))}
      {adding && (
        <Row
          name=""
          text=""
          onCommit={(name, text) => {
            const added = replace(undefined, name, text)
            if (added) setAdding(false)
            return added
          }}
          onRemove={() => setAdding(false)}
        />
      )}
      {!adding && (
        <Button
          variant="ghost"
          className="self-start"
          onClick={() => setAdding(true)}
          aria-label="Add a parameter"
          data-testid="add-parameter"
        >
          <Plus className="size-3.5" aria-hidden />
          Add
        </Button>
      )}
      <p className="text-2xs text-faint">
        Values that every run starts with. Conditions read them as <code>parameters.name</code>.
      </p>
    </fieldset>
  )
}

interface RowProps {
  name: string
  text: string
  /** `false`: the name is empty or taken. */
  onCommit: (name: string, text: string) => boolean
  onRemove: () => void
}

function Row({ name, text, onCommit, onRemove }: RowProps) {
  const [draft, setDraft] = useState({ name, text })
  const [refused, setRefused] = useState(false)
  const commit = () => {
    // A name that was not touched keeps the spaces that it came with.
    const next = draft.name === name ? name : draft.name.trim()
    if (next !== name || draft.text !== text) setRefused(!onCommit(next, draft.text))
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: focus passes through here, nothing here is pressed
    <div
      className="flex items-center gap-1"
      onBlur={({ currentTarget, relatedTarget }) => !currentTarget.contains(relatedTarget) && commit()}
    >
      <Input
        aria-label="Name of the parameter"
        placeholder="name"
        compact
        autoFocus={name === ''}
        aria-invalid={refused}
        value={draft.name}
        onChange={(event) => setDraft({ ...draft, name: event.target.value })}
      />
      <Input
        aria-label="Default value"
        placeholder="value"
        compact
        value={draft.text}
        onChange={(event) => setDraft({ ...draft, text: event.target.value })}
        onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
      />
      <IconButton label={name ? `Remove ${name}` : 'Remove'} className="size-6" onClick={onRemove}>
        <X className="size-3" />
      </IconButton>
    </div>
  )
}
