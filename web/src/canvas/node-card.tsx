import { Handle, type NodeProps, Position } from '@xyflow/react'
import clsx from 'clsx'
import { CircleAlert, StickyNote, TriangleAlert } from 'lucide-react'
import { memo } from 'react'
import type { Diagnostic, Port } from '../api/types'
import { Prose } from '../components/prose'
import { Tooltip } from '../components/tooltip'
import { useNodeDiagnostics, useNodeRun, useNodeType, useSelectedBy } from './hooks'
import { iconOf, iconStyle } from './icons'
import { NodeStatusLine } from './node-status'
import type { FlowNode } from './view'

const UNKNOWN_COLOR = '#8b8d98'

/** A step on the canvas: what it is, what is wrong with it, how its run goes, who has selected it. */
export const NodeCard = memo(function NodeCard({ id, data, selected }: NodeProps<FlowNode>) {
  const spec = useNodeType(data.nodeType)
  const run = useNodeRun(id)
  const diagnostics = useNodeDiagnostics(id)
  const selectedBy = useSelectedBy(id)
  const Icon = iconOf(spec?.icon ?? '')
  const color = spec?.color ?? UNKNOWN_COLOR
  const other = selectedBy[0]

  return (
    <div
      data-testid={`node-${id}`}
      data-status={run?.status ?? 'idle'}
      data-node-type={data.nodeType}
      data-unreadable={!data.whole || undefined}
      data-selected-by={selectedBy.map(({ user }) => user.name).join(', ') || undefined}
      style={other ? { boxShadow: `0 0 0 2px ${other.user.color}` } : undefined}
      className={clsx(
        'node-card relative w-55 rounded-[10px] border bg-panel shadow-card transition-[border-color,opacity]',
        selected
          ? 'border-accent ring-1 ring-accent'
          : run?.status === 'failed'
            ? 'border-danger'
            : 'border-line-strong',
        data.disabled && 'opacity-55',
        !data.whole && 'border-dashed',
      )}
    >
      {other && (
        <span
          style={{ backgroundColor: other.user.color }}
          className="-top-[19px] absolute left-2 rounded-t-md px-1.5 py-0.5 font-medium text-2xs text-white"
        >
          {selectedBy.map(({ user }) => user.name).join(', ')}
        </span>
      )}
      <Ports ports={spec?.inputs ?? []} side="in" />
      <div className="flex h-14 items-center gap-2.5 px-2.5">
        <span style={iconStyle(color)} className="flex size-9 shrink-0 items-center justify-center rounded-lg">
          <Icon className="size-5" aria-hidden />
        </span>
        <div className="min-w-0 flex-1">
          <p
            className={clsx('node-label truncate font-semibold text-base', data.disabled && 'line-through')}
            data-testid="node-label"
          >
            {data.whole ? data.label || spec?.name || data.nodeType : 'Unreadable step'}
          </p>
          <p className="node-about truncate text-muted text-xs">
            {data.disabled ? 'Disabled' : spec ? data.summary || spec.name : data.whole ? 'Unknown step' : id}
          </p>
        </div>
        {data.notes !== '' && (
          <Tooltip label={<span className="whitespace-pre-wrap">{data.notes}</span>}>
            <StickyNote className="size-3.5 shrink-0 text-faint" aria-label="Has notes" />
          </Tooltip>
        )}
        <Badge diagnostics={diagnostics} />
      </div>
      {run && <NodeStatusLine run={run} />}
      <Ports ports={spec?.outputs ?? []} side="out" />
    </div>
  )
})

function Badge({ diagnostics }: { diagnostics: readonly Diagnostic[] }) {
  if (diagnostics.length === 0) return null
  const isError = diagnostics.some(({ severity }) => severity === 'error')
  const Icon = isError ? CircleAlert : TriangleAlert
  const label = diagnostics.map(({ message }) => message).join('\n')
  return (
    <Tooltip
      label={
        <span className="whitespace-pre-wrap">
          <Prose text={label} />
        </span>
      }
    >
      <span data-testid="node-problems" data-severity={isError ? 'error' : 'warning'} role="img" aria-label={label}>
        <Icon className={clsx('size-4 shrink-0', isError ? 'text-danger' : 'text-warn')} aria-hidden />
      </span>
    </Tooltip>
  )
}

/** Handles along one side; named where there is a choice. */
function Ports({ ports, side }: { ports: readonly Port[]; side: 'in' | 'out' }) {
  return ports.map((port, index) => (
    <Handle
      key={port.name}
      id={port.name}
      type={side === 'in' ? 'target' : 'source'}
      position={side === 'in' ? Position.Left : Position.Right}
      style={{ top: `${((index + 1) * 100) / (ports.length + 1)}%` }}
      aria-label={port.label}
      data-testid={`port-${side}-${port.name}`}
    >
      {ports.length > 1 && (
        <span
          className={clsx(
            '-top-[17px] pointer-events-none absolute rounded bg-canvas/80 px-0.5 text-[10px] text-faint leading-3',
            side === 'in' ? 'right-1' : 'left-1',
          )}
        >
          {port.label}
        </span>
      )}
    </Handle>
  ))
}
