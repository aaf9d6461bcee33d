import clsx from 'clsx'
import { Check, ChevronDown } from 'lucide-react'
import { Select as Radix } from 'radix-ui'
import { INPUT } from './field'

export interface Option {
  value: string
  label: string
  description?: string
}

interface SelectProps {
  value: string | undefined
  options: readonly Option[]
  onChange: (value: string) => void
  placeholder?: string
  disabled?: boolean
  label?: string
  id?: string
  className?: string
  compact?: boolean
  testId?: string
}

export function Select({
  value,
  options,
  onChange,
  placeholder = 'Not set',
  label,
  id,
  className,
  compact,
  testId,
  ...rest
}: SelectProps) {
  const known = value === undefined || options.some((option) => option.value === value)
  return (
    <Radix.Root value={value ?? ''} onValueChange={onChange} {...rest}>
      <Radix.Trigger
        id={id}
        aria-label={label}
        data-testid={testId}
        // A fieldset disables its buttons, but pointers still reach them.
        onPointerDown={(event) => event.currentTarget.matches(':disabled') && event.preventDefault()}
        className={clsx(
          INPUT,
          'flex items-center justify-between gap-1 text-left data-placeholder:text-faint',
          compact ? 'h-7' : 'h-8',
          className,
        )}
      >
        <span className="truncate">
          <Radix.Value placeholder={placeholder}>{known ? undefined : value}</Radix.Value>
        </span>
        <ChevronDown className="size-3.5 shrink-0 text-faint" aria-hidden />
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          position="popper"
          sideOffset={4}
          className="z-50 max-h-80 min-w-(--radix-select-trigger-width) max-w-96 animate-pop overflow-hidden rounded-lg border border-line bg-raised shadow-pop"
        >
          <Radix.Viewport className="p-1">
            {options.map((option) => (
              <Radix.Item
                key={option.value}
                value={option.value}
                className="flex items-start gap-2 rounded px-2 py-1.5 text-sm outline-none data-highlighted:bg-hover"
              >
                <span className="min-w-0 flex-1">
                  <Radix.ItemText>{option.label}</Radix.ItemText>
                  {option.description && <span className="block text-2xs text-faint">{option.description}</span>}
                </span>
                <Radix.ItemIndicator>
                  <Check className="mt-0.5 size-3.5 text-accent-text" aria-hidden />
                </Radix.ItemIndicator>
              </Radix.Item>
            ))}
          </Radix.Viewport>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
