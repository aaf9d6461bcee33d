import { Link } from '@tanstack/react-router'
import { useReactFlow } from '@xyflow/react'
import {
  ChevronLeft,
  CircleAlert,
  CircleCheck,
  Command,
  Network,
  PanelRight,
  Plus,
  Redo2,
  TriangleAlert,
  Undo2,
} from 'lucide-react'
import type { Workflow } from '../../../api/types'
import { autoLayout } from '../../../canvas/actions'
import { useCanvas, useOverlay, useReadOnly, useUndoState } from '../../../canvas/hooks'
import { Button, IconButton } from '../../../components/button'
import { ThemeMenu } from '../../../components/theme-menu'
import { notifyError } from '../../../components/toast'
import { hintOf } from '../keyboard/shortcuts'
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
    <header className="z-10 flex min-h-12 shrink-0 flex-wrap items-center gap-1.5 border-b bg-panel px-2.5 py-1 md:flex-nowrap">
      <div className="order-1 flex min-w-0 basis-[calc(100%-6rem)] items-center gap-1.5 md:basis-auto">
        <Link
          to="/"
          search={{ workspace: workflow.workspace_id }}
          aria-label="Back to the workflows"
          className="flex size-7 shrink-0 items-center justify-center rounded-md text-muted hover:bg-hover hover:text-text"
          data-testid="back"
        >
          <ChevronLeft className="size-4" />
        </Link>
        <WorkflowName workflow={workflow} />
        <SaveState />
      </div>
      <div className="order-3 flex shrink-0 items-center gap-1 md:order-2 md:mr-auto md:gap-1.5 md:border-l md:pl-2">
        <IconButton
          label="Undo"
          shortcut={hintOf('undo')}
          disabled={!canUndo || readOnly}
          onClick={() => document.undoEdit()}
          data-testid="undo"
        >
          <Undo2 className="size-4" />
        </IconButton>
        <IconButton
          label="Redo"
          shortcut={hintOf('redo')}
          disabled={!canRedo || readOnly}
          onClick={() => document.redoEdit()}
          data-testid="redo"
        >
          <Redo2 className="size-4" />
        </IconButton>
        <IconButton label="Auto-layout" disabled={readOnly} onClick={() => void arrange()} data-testid="auto-layout">
          <Network className="size-4" />
        </IconButton>
        <IconButton
          label="Add a step"
          className="md:hidden"
          disabled={readOnly}
          onClick={() => store.setState(({ focusPalette }) => ({ focusPalette: focusPalette + 1 }))}
          data-testid="show-steps"
        >
          <Plus className="size-4" />
        </IconButton>
      </div>
      <div className="order-4 ml-auto flex shrink-0 items-center gap-1 md:order-3 md:ml-0 md:gap-1.5">
        <Avatars />
        <ProblemsButton onOpen={() => showTab(store, 'problems')} />
        <IconButton
          label="Commands"
          shortcut={hintOf('commands')}
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
      </div>
      <div className="order-2 ml-auto shrink-0 md:order-4 md:ml-0">
        <RunButton />
      </div>
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
    <Button
      variant="ghost"
      className="max-lg:px-1.5"
      onClick={onOpen}
      data-testid="validate-state"
      data-errors={errors}
    >
      <Icon className={`size-4 ${tone}`} aria-hidden />
      {diagnostics.length === 0 ? (
        <span className="max-lg:sr-only">Valid</span>
      ) : (
        <span>
          {diagnostics.length}{' '}
          <span className="max-lg:sr-only">{diagnostics.length === 1 ? 'problem' : 'problems'}</span>
        </span>
      )}
    </Button>
  )
}
