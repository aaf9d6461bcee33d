import { useQuery } from '@tanstack/react-query'
import { Table2 } from 'lucide-react'
import { useState } from 'react'
import { outputQuery } from '../../../api/queries'
import type { NodeStatus } from '../../../api/types'
import { useNodeRun, useNodeType, useSelectedNode } from '../../../canvas/hooks'
import { STATUS } from '../../../canvas/node-status'
import type { FlowNode } from '../../../canvas/view'
import { Boundary } from '../../../components/boundary'
import { formatCount } from '../../../components/format'
import { Select } from '../../../components/select'
import { Spinner } from '../../../components/spinner'
import { useEditorState } from '../state'
import { OutputTable } from './output-table'

const HAS_ENDED: NodeStatus[] = ['failed', 'skipped', 'canceled']

/** What the selected step has put out in the run that is followed. */
export function OutputTab() {
  const node = useSelectedNode()
  const run = useEditorState((state) => state.run)
  if (!node) return <Hint text="Select a step to see the rows that it made." />
  if (!run) return <Hint text="Nothing has run yet: press Run to fill this table." />
  return <NodeOutput key={`${run.id}/${node.id}`} run={run.id} node={node} />
}

function NodeOutput({ run, node }: { run: string; node: FlowNode }) {
  const ports = useNodeType(node.data.nodeType)?.outputs ?? []
  const status = useNodeRun(node.id)?.status
  const [chosen, setChosen] = useState<string>()
  const ready = status === 'completed'
  const { data: first, error } = useQuery({ ...outputQuery(run, node.id, chosen, 0), enabled: ready })

  return (
    <div className="flex h-full flex-col">
      <div className="flex h-9 shrink-0 items-center gap-3 px-3 text-xs">
        <span className="font-medium">{node.data.label}</span>
        {ports.length > 1 && (
          <div className="w-32">
            <Select
              label="Output"
              compact
              value={chosen ?? first?.port}
              options={ports.map(({ name, label }) => ({ value: name, label }))}
              onChange={setChosen}
            />
          </div>
        )}
        {first && first.kind !== 'signal' && (
          <span className="text-muted tabular-nums" data-testid="output-rows" data-rows={first.rows}>
            {formatCount(first.rows)} rows{first.schema.length > 0 && ` · ${first.schema.length} columns`}
          </span>
        )}
      </div>
      <div className="min-h-0 flex-1">
        <Boundary key={chosen} name="table">
          {!ready ? (
            <Hint
              text={
                status
                  ? `${STATUS[status].label}: there is no output${HAS_ENDED.includes(status) ? '' : ' yet'}.`
                  : 'This step had no part in the run.'
              }
            />
          ) : error ? (
            <Hint text={error.message} />
          ) : !first ? (
            <Spinner />
          ) : first.schema.length > 0 ? (
            <OutputTable run={run} node={node.id} port={chosen} first={first} />
          ) : first.kind === 'signal' ? (
            <Hint text="This output carries no data: it only says that the step is done." />
          ) : (
            <pre className="scroll-thin h-full overflow-auto px-3 font-mono text-xs" data-testid="output-json">
              {JSON.stringify(first.value ?? first.items, null, 2)}
            </pre>
          )}
        </Boundary>
      </div>
    </div>
  )
}

function Hint({ text }: { text: string }) {
  return (
    <p className="flex items-center gap-2 p-4 text-muted" data-testid="output-hint">
      <Table2 className="size-4 text-faint" aria-hidden />
      {text}
    </p>
  )
}
