import clsx from 'clsx'
import { Popover } from 'radix-ui'
import { type KeyboardEvent, useId, useState } from 'react'
import { Input } from './field'

interface ComboboxProps {
  id?: string
  'aria-invalid'?: boolean
  'aria-describedby'?: string | undefined
  value: string
  options: readonly { value: string; detail?: string }[]
  placeholder?: string
  /** Every keystroke, and a choice when there is no `onChoose`. */
  onChange: (value: string) => void
  /** An option was chosen, or what was typed was entered. */
  onChoose?: (value: string) => void
  /** The field is left with something typed in it. */
  onLeave?: (value: string) => void
  testId?: string
}

/** A text field with suggestions. */
export function Combobox({ value, options, onChange, onChoose, onLeave, testId, ...input }: ComboboxProps) {
  const listId = useId()
  const [open, setOpen] = useState(false)
  const [typed, setTyped] = useState(false)
  const [active, setActive] = useState(0)
  const wanted = typed ? value.toLowerCase() : ''
  const shown = options.filter((option) => option.value.toLowerCase().includes(wanted))
  const isOpen = open && shown.length > 0
  const current = isOpen ? shown[Math.min(active, shown.length - 1)] : undefined

  function choose(chosen: string) {
    ;(onChoose ?? onChange)(chosen)
    setTyped(false)
    setActive(0)
    setOpen(onChoose !== undefined)
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      setOpen(true)
      setActive((at) => Math.max(0, Math.min(shown.length - 1, at + (event.key === 'ArrowDown' ? 1 : -1))))
    } else if (event.key === 'Enter') {
      event.preventDefault()
      if (current && (typed || onChoose === undefined || value === '')) choose(current.value)
      else if (onChoose) choose(value)
    } else if (event.key === 'Escape') {
      setOpen(false)
    }
  }

  return (
    <Popover.Root open={isOpen} onOpenChange={setOpen}>
      <Popover.Anchor asChild>
        <Input
          {...input}
          role="combobox"
          aria-expanded={isOpen}
          aria-controls={listId}
          aria-autocomplete="list"
          aria-activedescendant={current ? `${listId}-${current.value}` : undefined}
          value={value}
          onFocus={() => setOpen(true)}
          onClick={() => setOpen(true)}
          onBlur={() => {
            setOpen(false)
            if (value !== '') onLeave?.(value)
          }}
          onChange={(event) => {
            setTyped(true)
            setOpen(true)
            setActive(0)
            onChange(event.target.value)
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
                id={`${listId}-${option.value}`}
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
                <span className="truncate">{option.value}</span>
                <span className="text-2xs text-faint">{option.detail}</span>
              </div>
            ))}
          </div>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  )
}
