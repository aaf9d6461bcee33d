import { Link } from '@tanstack/react-router'
import { useReactFlow } from '@xyflow/react'
import {
  ChevronLeft,
  CircleAlert,
  CircleCheck,
  Command,
  Network,
  PanelRight,
  Redo2,
  TriangleAlert,
  Undo2,
} from 'lucide-react'
import type { Workflow } from '../../../api/types'
import { autoLayout } from '../../../canvas/actions'
import { useCanvas, useOverlay, useReadOnly, useUndoState } from '../../../canvas/hooks'
import { Button, IconButton } from '../../../components/button'
import { MOD } from '../../../components/platform'
import { ThemeMenu } from '../../../components/theme-menu'
import { notifyError } from '../../../components/toast'
import { PublishButton } from '../publish/publish-button'
import { pinProperties, showTab, useEditor, useEditorState } from '../state'
import { FIT_VIEW } from '../viewport'
import { Avatars } from './avatars'
import { RunButton } from './run-button'
import { SaveState } from './save-state'
import { WorkflowName } from './workflow-name'

export function Toolbar({ workflow }: { workflow: Workflow }) {
  const session = useCanvas()
  const { store } = useEditor()
  const { fitView } = useReactFlow()
  const { canUndo, canRedo } = useUndoState()
  const propertiesPinned = useEditorState((state) => state.propertiesPinned)
  const readOnly = useReadOnly()
  const { document } = session

  const arrange = () =>
    autoLayout(session)
      .then(() => requestAnimationFrame(() => void fitView(FIT_VIEW)))
      .catch(notifyError)

  return (
    <header className="z-10 flex h-12 shrink-0 items-center gap-1.5 border-b bg-panel px-2.5">
      <Link
        to="/"
        search={{ workspace: workflow.workspace_id }}
        aria-label="Back to the workflows"
        className="flex size-7 items-center justify-center rounded-md text-muted hover:bg-hover hover:text-text"
        data-testid="back"
      >
        <ChevronLeft className="size-4" />
      </Link>
      <WorkflowName workflow={workflow} />
      <SaveState />
      <div className="mx-1 h-5 w-px bg-line" />
      <IconButton
        label="Undo"
        shortcut={`${MOD}Z`}
        disabled={!canUndo || readOnly}
        onClick={() => document.undoEdit()}
        data-testid="undo"
      >
        <Undo2 className="size-4" />
      </IconButton>
      <IconButton
        label="Redo"
        shortcut={`${MOD}⇧Z`}
        disabled={!canRedo || readOnly}
        onClick={() => document.redoEdit()}
        data-testid="redo"
      >
        <Redo2 className="size-4" />
      </IconButton>
      <IconButton label="Auto-layout" disabled={readOnly} onClick={() => void arrange()} data-testid="auto-layout">
        <Network className="size-4" />
      </IconButton>
      <div className="flex-1" />
      <Avatars />
      <ProblemsButton onOpen={() => showTab(store, 'problems')} />
      <IconButton
        label="Commands"
        shortcut={`${MOD}K`}
        onClick={() => store.setState({ commandsOpen: true })}
        data-testid="commands"
      >
        <Command className="size-4" />
      </IconButton>
      <ThemeMenu />
      <IconButton
        label="Properties"
        active={propertiesPinned}
        onClick={() => pinProperties(store, !propertiesPinned)}
        data-testid="toggle-properties"
      >
        <PanelRight className="size-4" />
      </IconButton>
      <PublishButton />
      <RunButton />
    </header>
  )
}

/** Whether a run would start, and what is in its way. */
function ProblemsButton({ onOpen }: { onOpen: () => void }) {
  const diagnostics = useOverlay((state) => state.diagnostics)
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length
  const Icon = errors > 0 ? CircleAlert : diagnostics.length > 0 ? TriangleAlert : CircleCheck
  const tone = errors > 0 ? 'text-danger' : diagnostics.length > 0 ? 'text-warn' : 'text-ok'
  return (
    <Button variant="ghost" onClick={onOpen} data-testid="validate-state" data-errors={errors}>
      <Icon className={`size-4 ${tone}`} aria-hidden />
      {diagnostics.length === 0
        ? 'Valid'
        : `${diagnostics.length} ${diagnostics.length === 1 ? 'problem' : 'problems'}`}
    </Button>
  )
}
