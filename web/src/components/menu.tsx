import clsx from 'clsx'
import { DropdownMenu as Radix } from 'radix-ui'
import type { ReactNode } from 'react'

export function Menu({
  trigger,
  children,
  align = 'end',
}: {
  trigger: ReactNode
  children: ReactNode
  align?: 'start' | 'end'
}) {
  return (
    <Radix.Root>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align={align}
          sideOffset={4}
          collisionPadding={8}
          className="z-50 min-w-44 animate-pop rounded-lg border border-line bg-raised p-1 shadow-pop"
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

interface ItemProps {
  icon?: ReactNode
  children: ReactNode
  danger?: boolean
  checked?: boolean
  onSelect: () => void
  testId?: string
}

export function MenuItem({ icon, children, danger, checked, onSelect, testId }: ItemProps) {
  return (
    <Radix.Item
      onSelect={onSelect}
      data-testid={testId}
      className={clsx(
        'flex h-7 items-center gap-2 rounded px-2 text-sm outline-none data-highlighted:bg-hover [&_svg]:size-3.5',
        danger ? 'text-danger' : 'text-text [&_svg]:text-muted',
      )}
    >
      {icon}
      <span className="flex-1">{children}</span>
      {checked && <span className="text-accent-text">✓</span>}
    </Radix.Item>
  )
}

export function MenuSeparator() {
  return <Radix.Separator className="-mx-1 my-1 h-px bg-line" />
}
