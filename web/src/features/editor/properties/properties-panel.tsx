import clsx from 'clsx'
import type { Workflow } from '../../../api/types'
import { deleteSelection, duplicateSelection, toggleDisabled } from '../../../canvas/actions'
import { useCanvas, useReadOnly, useSelectedNode, useSelection } from '../../../canvas/hooks'
import { Button } from '../../../components/button'
import { useEditorState } from '../state'
import { NodeProperties } from './node-properties'
import { UnreadableNode } from './unreadable-node'
import { WorkflowProperties } from './workflow-properties'

/**
 * What is selected, in full: a step, several, or nothing — then the workflow itself. Pinned, it has its own room; else it
 * lies over the canvas while something is selected.
 */
export function PropertiesPanel({ workflow }: { workflow: Workflow }) {
  const node = useSelectedNode()
  const { nodes } = useSelection()
  const readOnly = useReadOnly()
  const pinned = useEditorState((state) => state.propertiesPinned)
  if (!pinned && nodes.length === 0) return null
  return (
    <aside
      aria-label="Properties"
      className={clsx(
        'scroll-thin shrink-0 overflow-y-auto border-l bg-surface',
        pinned ? 'w-76' : 'animate-after-click absolute inset-y-0 right-0 z-20 w-80 shadow-pop',
      )}
      data-testid="properties"
    >
      <fieldset disabled={readOnly} className="contents">
        {node && !node.data.whole ? (
          <UnreadableNode node={node} />
        ) : node ? (
          <NodeProperties key={node.id} node={node} />
        ) : nodes.length > 1 ? (
          <SeveralNodes count={nodes.length} />
        ) : (
          <WorkflowProperties key={workflow.id} workflow={workflow} />
        )}
      </fieldset>
    </aside>
  )
}

function SeveralNodes({ count }: { count: number }) {
  const session = useCanvas()
  return (
    <div className="flex flex-col gap-3 p-3.5">
      <h2 className="font-semibold">{count} steps selected</h2>
      <div className="flex flex-wrap gap-2">
        <Button onClick={() => duplicateSelection(session)}>Duplicate</Button>
        <Button onClick={() => toggleDisabled(session)}>Disable or enable</Button>
        <Button variant="danger" onClick={() => deleteSelection(session)}>
          Delete
        </Button>
      </div>
    </div>
  )
}
