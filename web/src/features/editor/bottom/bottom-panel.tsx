import clsx from 'clsx'
import { ChevronDown, ChevronUp } from 'lucide-react'
import { Tabs } from 'radix-ui'
import { useOverlay } from '../../../canvas/hooks'
import { Boundary } from '../../../components/boundary'
import { IconButton } from '../../../components/button'
import { PANEL_CLOSED, type Tab, useEditor, useEditorState } from '../state'
import { LogsTab } from './logs-tab'
import { OutputTab } from './output-tab'
import { ProblemsTab } from './problems-tab'
import { ResizeHandle } from './resize-handle'
import { RunTab } from './run-tab'

const TABS: [Tab, string][] = [
  ['run', 'Run'],
  ['logs', 'Logs'],
  ['output', 'Output'],
  ['problems', 'Problems'],
]

export function BottomPanel() {
  const { store, keyboard } = useEditor()
  const tab = useEditorState((state) => state.tab)
  const open = useEditorState((state) => state.panelOpen)
  const height = useEditorState((state) => state.panelHeight)
  const problems = useOverlay((state) => state.diagnostics.length)

  return (
    <Tabs.Root
      value={tab}
      onValueChange={(value) => store.setState({ tab: value as Tab, panelOpen: true })}
      style={{ height: open ? height : PANEL_CLOSED }}
      className="relative flex shrink-0 flex-col border-t bg-panel"
      data-part="panel"
      data-testid="bottom-panel"
    >
      {open && <ResizeHandle />}
      <div className="flex h-9 shrink-0 items-center border-b px-2">
        <Tabs.List className="flex h-full items-center gap-0.5" aria-label="Panels">
          {TABS.map(([value, label]) => (
            <Tabs.Trigger
              key={value}
              value={value}
              data-testid={`tab-${value}`}
              onClick={() => store.setState({ panelOpen: true })}
              className={clsx(
                'flex h-6.5 items-center gap-1.5 rounded-md px-2 font-medium text-muted text-xs hover:text-text',
                open && 'data-[state=active]:bg-hover data-[state=active]:text-text',
              )}
            >
              {label}
              {value === 'problems' && problems > 0 && (
                <span className="rounded-full bg-danger-soft px-1.5 text-2xs text-danger tabular-nums">{problems}</span>
              )}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        <div className="flex-1" />
        <IconButton
          label={open ? 'Close the panel' : 'Open the panel'}
          onClick={() => {
            store.setState({ panelOpen: !open })
            if (open) keyboard.give('canvas')
          }}
        >
          {open ? <ChevronDown className="size-4" /> : <ChevronUp className="size-4" />}
        </IconButton>
      </div>
      {open && (
        <>
          <Tabs.Content value="run" className="min-h-0 flex-1 outline-none">
            <Boundary name="run">
              <RunTab />
            </Boundary>
          </Tabs.Content>
          <Tabs.Content value="logs" className="min-h-0 flex-1 outline-none">
            <Boundary name="log">
              <LogsTab />
            </Boundary>
          </Tabs.Content>
          <Tabs.Content value="output" className="min-h-0 flex-1 outline-none">
            <Boundary name="output">
              <OutputTab />
            </Boundary>
          </Tabs.Content>
          <Tabs.Content value="problems" className="min-h-0 flex-1 outline-none">
            <Boundary name="list of problems">
              <ProblemsTab />
            </Boundary>
          </Tabs.Content>
        </>
      )}
    </Tabs.Root>
  )
}
