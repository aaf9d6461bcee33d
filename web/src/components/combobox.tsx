import clsx from 'clsx'
import { Popover } from 'radix-ui'
import { type KeyboardEvent, useId, useState } from 'react'
import { LiveInput } from './live-field'

export interface ComboboxOption {
  value: string
  /** What is shown of it. */
  label: string
  detail?: string
}

interface ComboboxProps {
  id?: string
  'aria-invalid'?: boolean
  'aria-describedby'?: string | undefined
  value: string
  options: readonly ComboboxOption[]
  placeholder?: string
  /** Several are chosen, one after the other: the list stays open. */
  many?: boolean
  /** Every keystroke. */
  onType: (text: string) => void
  /** An option was chosen. */
  onChoose: (value: string) => void
  /** What was typed is no option and was entered, or the field was left with it. */
  onEnter?: (text: string) => void
  testId?: string
  'data-history'?: string
}

/** A text field with suggestions. */
export function Combobox({ value, options, many = false, onType, onChoose, onEnter, testId, ...input }: ComboboxProps) {
  const listId = useId()
  const [open, setOpen] = useState(false)
  const [typed, setTyped] = useState(false)
  /** The option that was gone to with keys or pointer; before that, the one that the field says. */
  const [active, setActive] = useState<number>()
  const wanted = typed ? value.toLowerCase() : ''
  const shown = options.filter(({ label }) => label.toLowerCase().includes(wanted))
  const isOpen = open && shown.length > 0
  const said = Math.max(
    0,
    shown.findIndex((option) => option.value === value && value !== ''),
  )
  const at = Math.min(active ?? said, shown.length - 1)
  const current = isOpen ? shown[at] : undefined

  function choose(chosen: string) {
    onChoose(chosen)
    setTyped(false)
    setActive(undefined)
    setOpen(many)
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      setOpen(true)
      setActive(Math.max(0, Math.min(shown.length - 1, at + (event.key === 'ArrowDown' ? 1 : -1))))
    } else if (event.key === 'Enter') {
      event.preventDefault()
      if (current && (typed || active !== undefined || value === '')) choose(current.value)
      else if (value !== '') onEnter?.(value)
    } else if (event.key === 'Escape') {
      setOpen(false)
    }
  }

  return (
    <Popover.Root open={isOpen} onOpenChange={setOpen}>
      <Popover.Anchor asChild>
        <LiveInput
          {...input}
          role="combobox"
          aria-expanded={isOpen}
          aria-controls={listId}
          aria-autocomplete="list"
          aria-activedescendant={current ? `${listId}-${at}` : undefined}
          value={value}
          onFocus={() => setOpen(true)}
          onClick={() => setOpen(true)}
          onBlur={() => {
            setOpen(false)
            if (value !== '') onEnter?.(value)
          }}
          onChange={(event) => {
            setTyped(true)
            setOpen(true)
            setActive(undefined)
            onType(event.target.value)
          }}
          onKeyDown={onKeyDown}
          data-testid={testId}
        />
      </Popover.Anchor>
      <Popover.Portal>
        <Popover.Content
          align="start"
          sideOffset={4}
          onOpenAutoFocus={(event) => event.preventDefault()}
          onCloseAutoFocus={(event) => event.preventDefault()}
          className="scroll-thin z-50 max-h-64 w-(--radix-popover-trigger-width) min-w-48 animate-pop overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-pop"
        >
          <div role="listbox" id={listId} tabIndex={-1}>
            {shown.map((option, index) => (
              <div
                key={option.value}
                id={`${listId}-${index}`}
                role="option"
                tabIndex={-1}
                aria-selected={option === current}
                onPointerDown={(event) => {
                  event.preventDefault()
                  choose(option.value)
                }}
                onPointerEnter={() => setActive(index)}
                className={clsx(
                  'flex items-center justify-between gap-2 rounded px-2 py-1',
                  option === current && 'bg-hover',
                )}
              >
                <span className="truncate whitespace-pre">{option.label}</span>
                <span className="text-2xs text-faint">{option.detail}</span>
              </div>
            ))}
          </div>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  )
}
