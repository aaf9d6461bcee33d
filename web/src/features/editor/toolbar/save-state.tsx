import clsx from 'clsx'
import { Check, CloudOff, Eye, LoaderCircle } from 'lucide-react'
import { useProvider } from '../../../canvas/hooks'
import type { SaveState as State } from '../../../canvas/provider'
import { Tooltip } from '../../../components/tooltip'

const STATES: Record<State, { label: string; about: string; icon: typeof Check }> = {
  saved: { label: 'Saved', about: 'Every change is in the server’s store.', icon: Check },
  saving: { label: 'Saving…', about: 'Your last changes are on their way into the store.', icon: LoaderCircle },
  connecting: {
    label: 'Connecting…',
    about: 'Changes are sent as soon as the connection is there.',
    icon: LoaderCircle,
  },
  offline: {
    label: 'Offline',
    about: 'Go on working: your changes are kept in this tab and merged when the connection is back.',
    icon: CloudOff,
  },
  readonly: { label: 'Read only', about: 'You may look, and are seen, but your changes are not kept.', icon: Eye },
}

export function SaveState() {
  const save = useProvider((state) => state.save)
  const reason = useProvider((state) => state.reason)
  const { label, about, icon: Icon } = STATES[save]
  return (
    <Tooltip label={reason ?? about}>
      <span
        role="status"
        data-testid="save-state"
        data-state={save}
        className={clsx('flex h-7 items-center gap-1 px-1.5 text-xs', save === 'offline' ? 'text-warn' : 'text-faint')}
      >
        <Icon
          className={clsx('size-3.5', (save === 'saving' || save === 'connecting') && 'animate-spin')}
          aria-hidden
        />
        {label}
      </span>
    </Tooltip>
  )
}
