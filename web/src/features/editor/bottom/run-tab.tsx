import clsx from 'clsx'
import { Play } from 'lucide-react'
import type { NodeRunState } from '../../../api/events'
import type { Run, RunStatus } from '../../../api/types'
import { useFlowNodes, useOverlay, useReadOnly } from '../../../canvas/hooks'
import { STATUS, StatusIcon, tookPart } from '../../../canvas/node-status'
import { entry } from '../../../canvas/overlay'
import type { FlowNode } from '../../../canvas/view'
import { formatCount, formatDateTime, formatDuration } from '../../../components/format'
import { Prose } from '../../../components/prose'
import { isLive, showTab, useEditor, useEditorState } from '../state'
import { useGoTo } from '../use-go-to'

const RUN_STATUS: Record<RunStatus, { label: string; tone: string }> = {
  new: { label: 'Starting', tone: 'bg-accent-soft text-accent-text' },
  running: { label: 'Running', tone: 'bg-accent-soft text-accent-text' },
  paused: { label: 'Paused', tone: 'bg-warn-soft text-warn' },
  waiting_for_human: { label: 'Waiting for an answer', tone: 'bg-warn-soft text-warn' },
  success: { label: 'Succeeded', tone: 'bg-ok-soft text-ok' },
  error: { label: 'Failed', tone: 'bg-danger-soft text-danger' },
  canceled: { label: 'Canceled', tone: 'bg-hover text-muted' },
  timeout: { label: 'Timed out', tone: 'bg-danger-soft text-danger' },
}

/** The table is for looking over; the canvas shows each step. */
const STEPS_SHOWN_MAX = 500

/** The run that is followed: its state, and each step's part in it. */
export function RunTab() {
  const run = useEditorState((state) => state.run)
  const runs = useOverlay((state) => state.runs)
  const nodes = useFlowNodes()
  const readOnly = useReadOnly()
  if (!run) {
    return (
      <p className="flex items-center gap-2 p-4 text-muted" data-testid="run-none">
        <Play className="size-4 text-faint" aria-hidden />
        This workflow has not run yet. {readOnly ? 'When somebody runs it, ' : 'Press Run: '}
        everybody who has it open watches along.
      </p>
    )
  }
  const labels = new Map(nodes.map((node) => [node.id, node]))
  const ids = inOrder(runs)
  const more = ids.length - STEPS_SHOWN_MAX
  return (
    <div className="scroll-thin h-full overflow-auto">
      <RunHeader run={run} />
      <table className="w-full text-left text-xs tabular-nums" data-testid="run-nodes">
        <thead className="text-faint">
          <tr className="[&_th]:px-3 [&_th]:py-1 [&_th]:whitespace-nowrap [&_th]:font-medium">
            <th>Step</th>
            <th>State</th>
            <th className="text-right">Rows in</th>
            <th className="text-right">Rows out</th>
            <th className="text-right">Duration</th>
            <th className="w-full">Message</th>
          </tr>
        </thead>
        <tbody>
          {ids.slice(0, STEPS_SHOWN_MAX).map((id) => (
            <NodeRow key={id} id={id} node={labels.get(id)} />
          ))}
        </tbody>
      </table>
      {more > 0 && <p className="px-3 py-1 text-faint text-xs">and {formatCount(more)} more steps, on the canvas</p>}
    </div>
  )
}

/** The steps as they started; those that have not, as the run will come to them. */
function inOrder(runs: Readonly<Record<string, NodeRunState>>): string[] {
  const started = (id: string) => entry(runs, id)?.started_at ?? Number.MAX_SAFE_INTEGER
  const place = (id: string) => entry(runs, id)?.place ?? Number.MAX_SAFE_INTEGER
  return Object.keys(runs).sort((a, b) => started(a) - started(b) || place(a) - place(b))
}

function RunHeader({ run }: { run: Run }) {
  const { label, tone } = RUN_STATUS[run.status]
  const started = run.started_at ?? run.created_at
  return (
    <div
      className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-2"
      data-testid="run-status"
      data-status={run.status}
    >
      <span className={clsx('rounded-full px-2 py-0.5 font-medium text-xs', tone, isLive(run) && 'animate-pulse')}>
        {label}
      </span>
      <span className="text-muted text-xs">{formatDateTime(started)}</span>
      {run.finished_at != null && (
        <span className="text-muted text-xs">took {formatDuration(run.finished_at - started)}</span>
      )}
      {run.failure && (
        <span className="text-danger text-xs">
          <Prose text={[run.failure.message, run.failure.solution].filter(Boolean).join(' — ')} />
        </span>
      )}
    </div>
  )
}

function NodeRow({ id, node }: { id: string; node: FlowNode | undefined }) {
  const { store } = useEditor()
  const goTo = useGoTo()
  const run = useOverlay((state) => entry(state.runs, id))
  if (!run) return null
  const took = tookPart(run)
  const count = (value: number | null | undefined) => (value == null || !took ? '' : formatCount(value))
  const message = run.failure ? [run.failure.message, run.failure.solution].filter(Boolean).join(' — ') : run.message
  return (
    <tr
      className="border-line border-t hover:bg-hover [&_td]:px-3 [&_td]:py-1"
      data-testid={`run-node-${id}`}
      data-status={run.status}
    >
      <td className="max-w-60">
        <button
          type="button"
          className="block max-w-full truncate font-medium hover:underline"
          onClick={() => {
            if (node) goTo(id)
            showTab(store, 'output')
          }}
        >
          {node?.data.label || id}
        </button>
      </td>
      <td>
        <span className="flex items-center gap-1.5 whitespace-nowrap">
          <StatusIcon status={run.status} />
          {STATUS[run.status].label}
          {(run.attempt ?? 1) > 1 && <span className="text-faint">({run.attempt})</span>}
        </span>
      </td>
      <td className="text-right">{count(run.rows_in)}</td>
      <td className="text-right" data-testid="rows-out">
        {count(run.rows_out ?? (run.status === 'running' ? run.rows : null))}
      </td>
      <td className="whitespace-nowrap text-right">
        {run.duration_ms == null || !took ? '' : formatDuration(run.duration_ms)}
      </td>
      <td className={clsx('max-w-0 truncate', run.failure ? 'text-danger' : 'text-muted')} title={message ?? undefined}>
        {message && <Prose text={message} />}
      </td>
    </tr>
  )
}
