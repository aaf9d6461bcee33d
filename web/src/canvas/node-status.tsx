import clsx from 'clsx'
import { Ban, CircleCheck, CircleDashed, CircleX, Clock, LoaderCircle, RotateCw, SkipForward } from 'lucide-react'
import { useEffect, useState } from 'react'
import type { NodeRunState } from '../api/events'
import type { NodeStatus } from '../api/types'
import { formatCompact, formatCount, formatDuration } from '../components/format'

export const STATUS: Record<NodeStatus, { label: string; icon: typeof Clock; tone: string }> = {
  pending: { label: 'Pending', icon: CircleDashed, tone: 'text-faint' },
  running: { label: 'Running', icon: LoaderCircle, tone: 'text-accent-text' },
  waiting_input: { label: 'Waiting', icon: Clock, tone: 'text-warn' },
  retrying: { label: 'Retrying', icon: RotateCw, tone: 'text-warn' },
  completed: { label: 'Completed', icon: CircleCheck, tone: 'text-ok' },
  failed: { label: 'Failed', icon: CircleX, tone: 'text-danger' },
  skipped: { label: 'Skipped', icon: SkipForward, tone: 'text-faint' },
  canceled: { label: 'Canceled', icon: Ban, tone: 'text-faint' },
}

export function StatusIcon({ status }: { status: NodeStatus }) {
  const { icon: Icon, tone, label } = STATUS[status]
  return <Icon className={clsx('size-3.5 shrink-0', tone, status === 'running' && 'animate-spin')} aria-label={label} />
}

/** Whether a step did anything that can be counted. */
export function tookPart({ status, started_at }: NodeRunState): boolean {
  return started_at != null && status !== 'skipped'
}

/** How a step's run goes: state, rows, time, and a bar while it works. */
export function NodeStatusLine({ run }: { run: NodeRunState }) {
  const rows = run.rows_out ?? run.rows
  const duration = useDuration(run)
  const { label } = STATUS[run.status]
  return (
    <div className="border-line border-t">
      {run.status === 'running' && <Progress fraction={run.fraction ?? null} />}
      <div className="node-state flex h-6.5 items-center gap-1.5 whitespace-nowrap px-2.5 text-muted text-xs tabular-nums">
        <StatusIcon status={run.status} />
        <span className="min-w-0 flex-1 truncate" title={run.failure?.message ?? run.message ?? undefined}>
          {run.failure?.message ??
            (run.status === 'running' && run.message ? run.message : run.status !== 'completed' && label)}
        </span>
        {rows != null && rows > 0 && (
          <span data-testid="node-rows" data-rows={rows} title={`${formatCount(rows)} rows`}>
            {formatCompact(rows)} rows
          </span>
        )}
        {duration !== undefined && (
          <span className="node-duration text-faint" data-testid="node-duration">
            {formatDuration(duration)}
          </span>
        )}
      </div>
    </div>
  )
}

function Progress({ fraction }: { fraction: number | null }) {
  return (
    <div
      role="progressbar"
      aria-label="Progress"
      aria-valuenow={fraction === null ? undefined : Math.round(fraction * 100)}
      className="h-0.5 overflow-hidden bg-sunken"
    >
      <div
        style={{ width: fraction === null ? '33%' : `${fraction * 100}%` }}
        className={clsx('h-full bg-accent transition-[width]', fraction === null && 'node-progress-unknown')}
      />
    </div>
  )
}

/** The time a step took; counts up while it works. */
function useDuration(run: NodeRunState): number | undefined {
  const { status, duration_ms, started_at } = run
  const live = status === 'running' && started_at != null
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (!live) return
    const timer = setInterval(() => setNow(Date.now()), 200)
    return () => clearInterval(timer)
  }, [live])
  if (live) return Math.max(0, now - started_at)
  return tookPart(run) ? (duration_ms ?? undefined) : undefined
}
