import clsx from 'clsx'
import { X } from 'lucide-react'
import { useState } from 'react'
import type { Workflow } from '../../../api/types'
import { deleteSelection, duplicateSelection, toggleDisabled } from '../../../canvas/actions'
import { useCanvas, useReadOnly, useSelectedNode, useSelection } from '../../../canvas/hooks'
import { Boundary } from '../../../components/boundary'
import { Button, IconButton } from '../../../components/button'
import { NARROW, useMedia } from '../../../components/use-media'
import { PANEL_CLOSED, useEditor, useEditorState } from '../state'
import { NodeProperties } from './node-properties'
import { UnreadableNode } from './unreadable-node'
import { WorkflowProperties } from './workflow-properties'

/**
 * What is selected, in full: a step, several, or nothing — then the workflow itself. Pinned, it has its own room; else it
 * lies over the canvas while something is selected. On a narrow page it is a sheet above the panel.
 */
export function PropertiesPanel({ workflow }: { workflow: Workflow }) {
  const { store } = useEditor()
  const { nodes } = useSelection()
  const pinned = useEditorState((state) => state.propertiesPinned)
  const panel = useEditorState((state) => (state.panelOpen ? state.panelHeight : PANEL_CLOSED))
  const narrow = useMedia(NARROW)
  /** The selection for which the sheet was closed. */
  const [closed, setClosed] = useState<readonly string[]>()
  const close = () => {
    setClosed(nodes)
    if (pinned) store.setState({ propertiesPinned: false })
  }
  if (!pinned && (nodes.length === 0 || (narrow && closed === nodes))) return null
  return (
    <aside
      aria-label="Properties"
      style={narrow ? { bottom: panel } : undefined}
      className={clsx(
        'scroll-thin shrink-0 overflow-y-auto bg-surface',
        narrow
          ? 'animate-after-click absolute inset-x-0 z-20 max-h-[40%] rounded-t-xl border-t shadow-pop'
          : pinned
            ? 'w-76 border-l'
            : 'animate-after-click absolute inset-y-0 right-0 z-20 w-80 border-l shadow-pop',
      )}
      data-part="properties"
      data-testid="properties"
    >
      {narrow && (
        <div className="sticky top-0 z-10 flex h-0 justify-end">
          <IconButton
            label="Close the properties"
            className="m-2 bg-surface"
            onClick={close}
            data-testid="close-properties"
          >
            <X className="size-4" />
          </IconButton>
        </div>
      )}
      <Boundary key={nodes.join()} name="properties">
        <Properties workflow={workflow} count={nodes.length} />
      </Boundary>
    </aside>
  )
}

function Properties({ workflow, count }: { workflow: Workflow; count: number }) {
  const node = useSelectedNode()
  const readOnly = useReadOnly()
  return (
    <fieldset disabled={readOnly} className="contents">
      {node && !node.data.whole ? (
        <UnreadableNode node={node} />
      ) : node ? (
        <NodeProperties key={node.id} node={node} />
      ) : count > 1 ? (
        <SeveralNodes count={count} />
      ) : (
        <WorkflowProperties key={workflow.id} workflow={workflow} />
      )}
    </fieldset>
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
