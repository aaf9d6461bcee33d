import { BaseEdge, EdgeLabelRenderer, type EdgeProps, getBezierPath } from '@xyflow/react'
import clsx from 'clsx'
import { memo } from 'react'
import { formatCompact, formatCount } from '../components/format'
import { Tooltip } from '../components/tooltip'
import { useNodeRun, useOverlay } from './hooks'
import type { FlowEdge } from './view'

/** A line between two steps; in a run, how many rows went along it. */
export const DataEdge = memo(function DataEdge({ id, source, target, markerEnd, ...ends }: EdgeProps<FlowEdge>) {
  const [path, labelX, labelY] = getBezierPath(ends)
  const from = useNodeRun(source)
  const to = useNodeRun(target)
  const problem = useOverlay((state) => state.byEdge[id]?.[0])
  const rows = from?.status === 'completed' || from?.status === 'running' ? (from.rows_out ?? from.rows) : undefined
  const taken = to !== undefined && to.status !== 'skipped' && to.status !== 'canceled'
  const flowing = to?.status === 'running'

  return (
    <>
      <BaseEdge
        id={id}
        path={path}
        interactionWidth={16}
        className={clsx(
          problem && 'edge-failed',
          flowing && 'edge-flowing',
          taken && from?.status === 'completed' && !flowing && 'edge-done',
        )}
        {...(markerEnd ? { markerEnd } : {})}
      />
      <EdgeLabelRenderer>
        {(problem || (rows != null && rows > 0 && taken)) && (
          <div
            style={{ transform: `translate(-50%, -50%) translate(${labelX}px, ${labelY}px)` }}
            className="nodrag nopan pointer-events-auto absolute"
          >
            {problem ? (
              <Tooltip label={problem.message}>
                <span
                  data-testid={`edge-problem-${id}`}
                  className="flex size-4 items-center justify-center rounded-full bg-danger font-bold text-2xs text-white"
                >
                  !
                </span>
              </Tooltip>
            ) : (
              <span
                data-testid={`edge-rows-${id}`}
                title={`${formatCount(rows ?? 0)} rows`}
                className="rounded-full border border-line bg-panel edge-rows px-1.5 py-px text-muted text-xs tabular-nums shadow-xs"
              >
                {formatCompact(rows ?? 0)}
              </span>
            )}
          </div>
        )}
      </EdgeLabelRenderer>
    </>
  )
})
