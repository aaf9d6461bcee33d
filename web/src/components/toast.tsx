/** Short messages at the corner: what failed, and what to do about it. */
import clsx from 'clsx'
import { X } from 'lucide-react'
import { create } from 'zustand'
import { Problem } from '../api/problem'
import { Prose } from './prose'

interface Toast {
  id: number
  kind: 'error' | 'info'
  text: string
  detail?: string
  /** Stays until it is dismissed. */
  lasting?: boolean
  action?: { label: string; run: () => void }
}

const SHOWN_MS = 7_000
const SHOWN_MAX = 4
const FIELDS_MAX = 5

const useToasts = create<{ toasts: Toast[] }>(() => ({ toasts: [] }))
let nextId = 1

export function notify(toast: Omit<Toast, 'id'>): void {
  const id = nextId++
  useToasts.setState(({ toasts }) => ({ toasts: [...toasts, { ...toast, id }].slice(-SHOWN_MAX) }))
  if (!toast.lasting) setTimeout(() => dismiss(id), SHOWN_MS)
}

export function notifyError(error: unknown): void {
  if (error instanceof Problem) {
    const { fields } = error
    const detail = [error.details.solution, ...fields.slice(0, FIELDS_MAX).map((field) => field.detail)]
    if (fields.length > FIELDS_MAX) detail.push(`and ${fields.length - FIELDS_MAX} more`)
    notify({ kind: 'error', text: error.message, detail: detail.filter(Boolean).join(' · ') })
  } else {
    notify({ kind: 'error', text: error instanceof Error ? error.message : String(error) })
  }
}

function dismiss(id: number): void {
  useToasts.setState(({ toasts }) => ({ toasts: toasts.filter((toast) => toast.id !== id) }))
}

export function Toasts() {
  const toasts = useToasts((state) => state.toasts)
  return (
    <div
      role="status"
      aria-live="polite"
      className="-translate-x-1/2 pointer-events-none fixed bottom-4 left-1/2 z-60 flex w-96 max-w-[calc(100vw-2rem)] flex-col gap-2"
    >
      {toasts.map((toast) => (
        <div
          key={toast.id}
          data-testid="toast"
          className={clsx(
            'pointer-events-auto flex animate-pop items-start gap-2 rounded-lg border bg-raised p-3 shadow-pop',
            toast.kind === 'error' ? 'border-danger/40' : 'border-line',
          )}
        >
          <div className="min-w-0 flex-1">
            <p className={clsx('font-medium', toast.kind === 'error' && 'text-danger')}>
              <Prose text={toast.text} />
            </p>
            {toast.detail && (
              <p className="mt-0.5 text-muted text-xs">
                <Prose text={toast.detail} />
              </p>
            )}
            {toast.action && (
              <button
                type="button"
                data-testid="toast-action"
                onClick={toast.action.run}
                className="mt-1 font-medium text-accent-text text-xs hover:underline"
              >
                {toast.action.label}
              </button>
            )}
          </div>
          <button
            type="button"
            aria-label="Dismiss"
            onClick={() => dismiss(toast.id)}
            className="text-faint hover:text-text"
          >
            <X className="size-3.5" />
          </button>
        </div>
      ))}
    </div>
  )
}
