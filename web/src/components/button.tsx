import clsx from 'clsx'
import type { ButtonHTMLAttributes, Ref } from 'react'
import { Tooltip } from './tooltip'

type Variant = 'primary' | 'secondary' | 'ghost' | 'danger'

const VARIANTS: Record<Variant, string> = {
  primary: 'bg-accent text-white hover:bg-accent-hover border border-transparent shadow-sm',
  secondary: 'bg-raised text-text border border-line-strong hover:bg-hover shadow-xs',
  ghost: 'text-muted hover:bg-hover hover:text-text border border-transparent',
  danger: 'bg-danger-soft text-danger border border-danger/30 hover:border-danger/60',
}

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  variant?: Variant
  size?: 'md' | 'lg'
  ref?: Ref<HTMLButtonElement>
}

export function Button({ variant = 'secondary', size = 'md', className, type = 'button', ...rest }: ButtonProps) {
  return (
    <button
      type={type}
      className={clsx(
        'inline-flex shrink-0 select-none items-center justify-center gap-1.5 rounded-md font-medium transition-colors',
        'disabled:pointer-events-none disabled:opacity-50',
        size === 'md' ? 'h-7 px-2.5 text-xs' : 'h-9 px-4 text-sm',
        VARIANTS[variant],
        className,
      )}
      {...rest}
    />
  )
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** The button's name, shown as a tooltip. */
  label: string
  shortcut?: string
  active?: boolean
  ref?: Ref<HTMLButtonElement>
}

export function IconButton({ label, shortcut, active, className, ...rest }: IconButtonProps) {
  return (
    <Tooltip label={label} {...(shortcut ? { shortcut } : {})}>
      <button
        type="button"
        aria-label={label}
        aria-pressed={active}
        className={clsx(
          'inline-flex size-7 shrink-0 items-center justify-center rounded-md transition-colors',
          'disabled:pointer-events-none disabled:opacity-35',
          active ? 'bg-accent-soft text-accent-text' : 'text-muted hover:bg-hover hover:text-text',
          className,
        )}
        {...rest}
      />
    </Tooltip>
  )
}
