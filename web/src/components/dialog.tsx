import clsx from 'clsx'
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

interface ModalProps {
  open: boolean
  onClose: () => void
  children: ReactNode
  wide?: boolean
  testId?: string | undefined
}

/** A box over the page. Its title is a `ModalTitle`. */
export function Modal({ open, onClose, children, wide, testId }: ModalProps) {
  return (
    <Radix.Root open={open} onOpenChange={(now) => !now && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-black/40 backdrop-blur-[1px]" />
        <Radix.Content
          data-testid={testId}
          aria-describedby={undefined}
          className={clsx(
            'scroll-thin -translate-x-1/2 fixed left-1/2 z-50 animate-pop overflow-y-auto rounded-xl border border-line bg-raised p-4 shadow-pop',
            wide
              ? 'top-[12%] max-h-[84dvh] w-[min(36rem,calc(100vw-2rem))]'
              : 'top-[12%] max-h-[84dvh] w-[min(26rem,calc(100vw-2rem))] md:top-[22%] md:max-h-[74dvh]',
          )}
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

export function ModalTitle({ children }: { children: ReactNode }) {
  return <Radix.Title className="font-semibold text-base">{children}</Radix.Title>
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
    <Modal open={open} onClose={onClose} testId={testId}>
      <form onSubmit={submit} className="flex flex-col gap-3">
        <ModalTitle>{title}</ModalTitle>
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
    </Modal>
  )
}
