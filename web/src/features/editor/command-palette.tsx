import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useReactFlow } from '@xyflow/react'
import { Command } from 'cmdk'
import { type ReactNode, useState } from 'react'
import { workflowQuery } from '../../api/queries'
import { autoLayout, duplicateSelection, selectAll, toggleDisabled } from '../../canvas/actions'
import { useCanvas, useFlowNodes, useOverlay, useReadOnly } from '../../canvas/hooks'
import { iconOf } from '../../canvas/icons'
import type { FlowNode } from '../../canvas/view'
import { Kbd } from '../../components/kbd'
import { setTheme, useTheme } from '../../components/theme'
import { notifyError } from '../../components/toast'
import { downloadWorkflow } from '../workflows/download'
import { hintOf } from './keyboard/shortcuts'
import { showTab, useEditor, useEditorState } from './state'
import { useAddNode } from './use-add-node'
import { useGoTo } from './use-go-to'
import { useRun } from './use-run'
import { FIT_VIEW } from './viewport'

/** Of the nodes that the search finds, these many can be gone to. */
const NODES_SHOWN_MAX = 50

/** Everything that can be done here, by name. */
export function CommandPalette() {
  const { store } = useEditor()
  const open = useEditorState((state) => state.commandsOpen)
  const show = (commandsOpen: boolean) => store.setState({ commandsOpen })
  return (
    <Command.Dialog
      open={open}
      onOpenChange={show}
      label="Commands"
      overlayClassName="fixed inset-0 z-40 bg-black/30"
      contentClassName="-translate-x-1/2 fixed top-[16%] left-1/2 z-50 w-[min(36rem,calc(100vw-2rem))] animate-pop overflow-hidden rounded-xl border border-line bg-raised shadow-pop"
    >
      <Search onDone={() => show(false)} />
    </Command.Dialog>
  )
}

function Search({ onDone }: { onDone: () => void }) {
  const [search, setSearch] = useState('')
  return (
    <div data-testid="command-palette">
      <Command.Input
        value={search}
        onValueChange={setSearch}
        placeholder="Search commands, steps, nodes…"
        className="h-11 w-full border-line border-b bg-transparent px-4 text-base outline-none placeholder:text-faint"
      />
      <Command.List className="scroll-thin max-h-88 overflow-y-auto p-1.5">
        <Command.Empty className="p-6 text-center text-faint">Nothing is called that.</Command.Empty>
        <Commands search={search} onDone={onDone} />
      </Command.List>
    </div>
  )
}

type Action = [name: string, shortcut: string | null, run: () => void]

function Commands({ search, onDone }: { search: string; onDone: () => void }) {
  const session = useCanvas()
  const { workflow, store, keyboard } = useEditor()
  const nodes = useFlowNodes()
  const nodeTypes = useOverlay((state) => state.nodeTypes)
  const flow = useReactFlow()
  const navigate = useNavigate()
  const { data } = useQuery(workflowQuery(workflow))
  const { live, start, cancel } = useRun()
  const { dark } = useTheme()
  const add = useAddNode()
  const goTo = useGoTo()
  const arrange = () => void autoLayout(session).catch(notifyError)
  const home = () => void navigate({ to: '/', search: data ? { workspace: data.workspace_id } : {} })
  const readOnly = useReadOnly()
  const { document } = session

  const edits: Action[] = [
    live ? ['Cancel the run', null, cancel] : ['Run', null, start],
    ['Undo', hintOf('undo'), () => document.undoEdit()],
    ['Redo', hintOf('redo'), () => document.redoEdit()],
    ['Auto-layout', null, arrange],
    ['Duplicate the selection', hintOf('duplicate'), () => duplicateSelection(session)],
    ['Disable or enable the selection', hintOf('disable'), () => toggleDisabled(session)],
  ]
  const actions: Action[] = [
    ...(readOnly ? [] : edits),
    ['Fit the canvas', hintOf('fit'), () => void flow.fitView(FIT_VIEW)],
    ['Select all', hintOf('select-all'), () => selectAll(session)],
    ['Show problems', null, () => showTab(store, 'problems')],
    ['Show the log', null, () => showTab(store, 'logs')],
    ['Export as .wflow.json', null, () => void downloadWorkflow(workflow)],
    [dark ? 'Light theme' : 'Dark theme', null, () => setTheme(dark ? 'light' : 'dark')],
    ['Back to the workflows', null, home],
  ]

  return (
    <>
      <Group heading="Commands">
        {actions.map(([name, shortcut, run]) => (
          <Item key={name} value={name} onSelect={() => done(run)}>
            <span className="flex-1">{name}</span>
            {shortcut && <Kbd>{shortcut}</Kbd>}
          </Item>
        ))}
      </Group>
      {!readOnly && (
        <Group heading="Add a step">
          {[...nodeTypes.values()].map((spec) => (
            <Item key={spec.id} value={`add ${spec.name} ${spec.id}`} onSelect={() => done(() => add(spec))}>
              <NodeIcon icon={spec.icon} color={spec.color} />
              <span className="flex-1">{spec.name}</span>
              <span className="text-2xs text-faint">{spec.category}</span>
            </Item>
          ))}
        </Group>
      )}
      <Group heading="Go to">
        {found(nodes, search).map((node) => {
          const spec = nodeTypes.get(node.data.nodeType)
          return (
            <Item
              key={node.id}
              value={`go to ${node.data.label} ${node.id}`}
              onSelect={() =>
                done(() => {
                  goTo(node.id)
                  keyboard.give('canvas')
                })
              }
            >
              <NodeIcon icon={spec?.icon ?? ''} color={spec?.color ?? 'var(--faint)'} />
              <span className="flex-1">{node.data.label}</span>
              <span className="text-2xs text-faint">{spec?.name}</span>
            </Item>
          )
        })}
      </Group>
    </>
  )

  function done(action: () => void) {
    onDone()
    action()
  }
}

function found(nodes: readonly FlowNode[], search: string): FlowNode[] {
  const words = search.toLowerCase().split(/\s+/)
  const matches = ({ id, data }: FlowNode) => {
    const text = `go to ${data.label} ${id}`.toLowerCase()
    return words.every((word) => text.includes(word))
  }
  return nodes.filter(matches).slice(0, NODES_SHOWN_MAX)
}

function Group({ heading, children }: { heading: string; children: ReactNode }) {
  return (
    <Command.Group
      heading={heading}
      className="[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:py-1.5 [&_[cmdk-group-heading]]:text-2xs [&_[cmdk-group-heading]]:text-faint"
    >
      {children}
    </Command.Group>
  )
}

function Item({ value, onSelect, children }: { value: string; onSelect: () => void; children: ReactNode }) {
  return (
    <Command.Item
      value={value}
      onSelect={onSelect}
      className="flex h-8 items-center gap-2.5 rounded-md px-2.5 data-[selected=true]:bg-hover"
    >
      {children}
    </Command.Item>
  )
}

function NodeIcon({ icon, color }: { icon: string; color: string }) {
  const Icon = iconOf(icon)
  return <Icon className="size-4" style={{ color }} aria-hidden />
}
