import clsx from 'clsx'
import { type InputHTMLAttributes, type ReactNode, type Ref, type TextareaHTMLAttributes, useId } from 'react'

export const INPUT =
  'w-full rounded-md border border-field-line bg-panel px-2 text-sm text-text placeholder:text-faint ' +
  'transition-[border-color] hover:border-line-strong focus:border-accent focus:outline-2 focus:outline-accent/25 focus:outline-offset-0 ' +
  'disabled:opacity-60 aria-invalid:border-danger'

interface InputProps extends InputHTMLAttributes<HTMLInputElement> {
  compact?: boolean
  ref?: Ref<HTMLInputElement>
}

export function Input({ compact, className, ...rest }: InputProps) {
  return (
    <input
      className={clsx(INPUT, compact ? 'h-7' : 'h-8', className)}
      autoComplete="off"
      spellCheck={false}
      {...rest}
    />
  )
}

interface TextareaProps extends TextareaHTMLAttributes<HTMLTextAreaElement> {
  ref?: Ref<HTMLTextAreaElement>
}

export function Textarea({ className, ...rest }: TextareaProps) {
  return <textarea className={clsx(INPUT, 'scroll-thin min-h-16 resize-y py-1.5', className)} {...rest} />
}

interface FieldProps {
  label: string
  hint?: ReactNode
  error?: string | undefined
  children: (ids: { id: string; 'aria-invalid': boolean; 'aria-describedby': string | undefined }) => ReactNode
}

/** A label, a control, and what is wrong with it. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId()
  const noteId = error || hint ? `${id}-note` : undefined
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="font-medium text-muted text-xs">
        {label}
      </label>
      {children({ id, 'aria-invalid': error !== undefined, 'aria-describedby': noteId })}
      {(error || hint) && (
        <p id={noteId} className={clsx('text-2xs', error ? 'text-danger' : 'text-faint')}>
          {error ?? hint}
        </p>
      )}
    </div>
  )
}
