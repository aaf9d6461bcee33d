import { BaseEdge, EdgeLabelRenderer, type EdgeProps, getBezierPath } from '@xyflow/react'
import clsx from 'clsx'
import { memo } from 'react'
import { Tooltip } from '../components/tooltip'
import { EdgeLabel } from './edge-label'
import { useNodeRun, useOverlay } from './hooks'
import { columnsFrom, entry } from './overlay'
import type { FlowEdge } from './view'

/** A line between two steps: the columns that go along it and, in a run, how many rows went. */
export const DataEdge = memo(function DataEdge({
  id,
  source,
  sourceHandleId,
  target,
  markerEnd,
  ...ends
}: EdgeProps<FlowEdge>) {
  const [path, labelX, labelY] = getBezierPath(ends)
  const from = useNodeRun(source)
  const to = useNodeRun(target)
  const problem = useOverlay((state) => entry(state.byEdge, id)?.[0])
  const columns = useOverlay((state) => columnsFrom(state.schemas, source, sourceHandleId))
  const rows = from?.status === 'completed' || from?.status === 'running' ? (from.rows_out ?? from.rows) : undefined
  const taken = to !== undefined && to.status !== 'skipped' && to.status !== 'canceled'
  const flowing = to?.status === 'running'
  const passed = taken && rows != null && rows > 0 ? rows : undefined

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
        {(problem || passed !== undefined || columns.length > 0) && (
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
              <EdgeLabel id={id} rows={passed} columns={columns} />
            )}
          </div>
        )}
      </EdgeLabelRenderer>
    </>
  )
})
