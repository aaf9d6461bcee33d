import clsx from 'clsx'
import { Check, CloudOff, Eye, LoaderCircle } from 'lucide-react'
import { useKept, useProvider } from '../../../canvas/hooks'
import type { SaveState as State } from '../../../canvas/sync/provider'
import { Tooltip } from '../../../components/tooltip'

const ICONS: Record<State, typeof Check> = {
  saved: Check,
  saving: LoaderCircle,
  connecting: LoaderCircle,
  offline: CloudOff,
  readonly: Eye,
}

/** Where the edits made here are: in the server's store, on their way, on this device, or only in this page. */
export function SaveState() {
  const save = useProvider((state) => state.save)
  const reason = useProvider((state) => state.reason)
  const unsaved = useProvider((state) => state.unsaved)
  const kept = useKept()
  const { label, about } = told(save, unsaved, kept)
  const Icon = ICONS[save]
  return (
    <Tooltip label={reason ?? about}>
      <span
        role="status"
        data-testid="save-state"
        data-state={save}
        data-unsaved={unsaved}
        className={clsx(
          'flex h-7 min-w-0 items-center gap-1 px-1.5 text-xs',
          save === 'offline' ? 'text-warn' : 'text-faint',
        )}
      >
        <Icon
          className={clsx('size-3.5 shrink-0', (save === 'saving' || save === 'connecting') && 'animate-spin')}
          aria-hidden
        />
        <span className={clsx('truncate', save !== 'offline' && 'max-lg:sr-only')}>{label}</span>
      </span>
    </Tooltip>
  )
}

function told(save: State, unsaved: number, kept: boolean): { label: string; about: string } {
  switch (save) {
    case 'saved':
      return { label: 'Saved', about: 'Every change is in the server’s store.' }
    case 'saving':
      return { label: 'Saving…', about: 'Your last changes are on their way into the store.' }
    case 'connecting':
      return { label: 'Connecting…', about: 'Changes are sent as soon as the connection is there.' }
    case 'readonly':
      return { label: 'Read only', about: 'You may look, and are seen, but may change nothing.' }
    case 'offline':
      return toldOffline(unsaved, kept)
  }
}

function toldOffline(unsaved: number, kept: boolean): { label: string; about: string } {
  const changes = unsaved === 1 ? '1 change' : `${unsaved} changes`
  if (unsaved === 0) {
    return {
      label: 'Offline',
      about: kept
        ? 'Go on working: your changes are kept on this device and merged when the connection is back.'
        : 'Go on working, but leave this page open: this browser keeps nothing on the device.',
    }
  }
  return kept
    ? {
        label: `Offline, ${changes} kept on this device`,
        about: 'You may close this page. Your changes are merged when you open it again with a connection.',
      }
    : {
        label: `Offline, ${changes} in this page only`,
        about: 'Leave this page open until the connection is back: this browser could not keep them on the device.',
      }
}
