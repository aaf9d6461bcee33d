import { Dialog as Radix } from 'radix-ui'
import type { FormEvent, ReactNode } from 'react'
import { Button } from './button'

interface DialogProps {
  open: boolean
  onClose: () => void
  title: string
  description?: ReactNode
  children?: ReactNode
  action: string
  danger?: boolean
  busy?: boolean
  onSubmit: () => void
  testId?: string
}

/** A question with one answer: a form with a title, an action and a way out. */
export function Dialog({
  open,
  onClose,
  title,
  description,
  children,
  action,
  danger,
  busy,
  onSubmit,
  testId,
}: DialogProps) {
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onSubmit()
  }
  return (
    <Radix.Root open={open} onOpenChange={(now) => !now && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-black/40 backdrop-blur-[1px]" />
        <Radix.Content
          data-testid={testId}
          aria-describedby={undefined}
          className="-translate-x-1/2 fixed top-[22%] left-1/2 z-50 w-[min(26rem,calc(100vw-2rem))] animate-pop rounded-xl border border-line bg-raised p-4 shadow-pop"
        >
          <form onSubmit={submit} className="flex flex-col gap-3">
            <Radix.Title className="font-semibold text-base">{title}</Radix.Title>
            {description && <p className="text-muted text-sm">{description}</p>}
            {children}
            <div className="mt-1 flex justify-end gap-2">
              <Button variant="ghost" onClick={onClose}>
                Cancel
              </Button>
              <Button variant={danger ? 'danger' : 'primary'} type="submit" disabled={busy} data-testid="dialog-submit">
                {action}
              </Button>
            </div>
          </form>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
