import { ReactFlowProvider } from '@xyflow/react'
import { useEffect, useMemo, useState } from 'react'
import type { NodeTypeSpec, Workflow } from '../../api/types'
import { Canvas } from '../../canvas/canvas'
import { CanvasContext, HostContext, useProvider } from '../../canvas/hooks'
import type { CanvasHost } from '../../canvas/host'
import type { CanvasSession } from '../../canvas/session'
import { Boundary } from '../../components/boundary'
import { Spinner } from '../../components/spinner'
import { BottomPanel } from './bottom/bottom-panel'
import { CanvasHint } from './canvas-hint'
import { CommandPalette } from './command-palette'
import { Ended } from './ended'
import { HiddenNodes } from './hidden-nodes'
import { KeyboardOwner } from './keyboard/owner'
import { useShortcuts } from './keyboard/use-shortcuts'
import { Palette } from './palette'
import { PropertiesPanel } from './properties/properties-panel'
import { ReadOnly } from './read-only'
import { createEditorStore, EditorContext, showTab, welcome } from './state'
import { Toolbar } from './toolbar/toolbar'
import { useLive } from './use-live'
import { useHost, useSession } from './use-session'
import { useUncover } from './use-uncover'
import { ZoomControls } from './zoom-controls'

export function Editor({ workflow, nodeTypes }: { workflow: Workflow; nodeTypes: readonly NodeTypeSpec[] }) {
  const host = useHost(workflow.id, nodeTypes)
  if (!host) return <Spinner label="Opening…" />
  return (
    <HostContext value={host}>
      <Hosted workflow={workflow} host={host} />
    </HostContext>
  )
}

function Hosted({ workflow, host }: { workflow: Workflow; host: CanvasHost }) {
  const session = useSession(host)
  if (!session) return <Spinner label="Opening…" />
  return (
    <CanvasContext value={session}>
      <ReactFlowProvider>
        <OpenEditor workflow={workflow} session={session} />
      </ReactFlowProvider>
    </CanvasContext>
  )
}

function OpenEditor({ workflow, session }: { workflow: Workflow; session: CanvasSession }) {
  const [store] = useState(createEditorStore)
  const [keyboard] = useState(() => new KeyboardOwner())
  const handle = useMemo(() => ({ workflow: workflow.id, store, keyboard }), [workflow.id, store, keyboard])
  const loaded = useProvider((state) => state.loaded)
  const ended = useProvider((state) => state.ended)
  const uncover = useUncover(store)
  useLive(workflow.id, session, store)
  useEffect(() => {
    if (loaded && session.document.nodes.size === 0) welcome(store)
  }, [loaded, session, store])
  useShortcuts(session, handle)
  useEffect(() => {
    // Code can be edited without a connection only if its editor is here by then.
    if (loaded) void import('./properties/code-editor').catch(() => undefined)
  }, [loaded])

  return (
    <EditorContext value={handle}>
      <div className="flex h-full flex-col" data-testid="editor">
        <Boundary name="toolbar">
          <Toolbar workflow={workflow} />
        </Boundary>
        <Boundary name="notice">
          <Ended />
          <ReadOnly />
        </Boundary>
        <div className="relative flex min-h-0 flex-1">
          <Boundary name="palette">
            <Palette />
          </Boundary>
          <div className="flex min-w-0 flex-1 flex-col">
            <main className="relative min-h-0 flex-1 bg-canvas" aria-label="Canvas" data-part="canvas">
              <Boundary name="canvas">
                {loaded ? (
                  <Canvas onOpenNode={() => showTab(store, 'output')} onClickNode={uncover}>
                    <CanvasHint />
                    <HiddenNodes />
                    <ZoomControls />
                  </Canvas>
                ) : (
                  ended === null && <Spinner label="Loading the canvas…" />
                )}
              </Boundary>
            </main>
            <Boundary name="panel">
              <BottomPanel />
            </Boundary>
          </div>
          <Boundary name="properties">
            <PropertiesPanel workflow={workflow} />
          </Boundary>
        </div>
        <Boundary name="commands">
          <CommandPalette />
        </Boundary>
      </div>
    </EditorContext>
  )
}
