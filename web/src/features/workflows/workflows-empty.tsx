import { MousePointerClick, Play, Plus, Upload, Users, Workflow } from 'lucide-react'
import { Button } from '../../components/button'
import { EmptyState } from '../../components/empty-state'
import { ImportButton } from './import-button'

const STEPS = [
  {
    icon: MousePointerClick,
    title: 'Draw',
    text: 'Drag steps onto the canvas and connect them: read a file, join, aggregate, write.',
  },
  {
    icon: Users,
    title: 'Together',
    text: 'Open it with a colleague: you see each other’s cursors and every change at once.',
  },
  { icon: Play, title: 'Run', text: 'Press Run and watch each step live. Click one to see the rows that it made.' },
]

interface WorkflowsEmptyProps {
  workspace: string
  mayWrite: boolean
  onCreate: () => void
}

export function WorkflowsEmpty({ workspace, mayWrite, onCreate }: WorkflowsEmptyProps) {
  return (
    <EmptyState
      icon={<Workflow />}
      title="No workflows yet"
      text="A workflow is a drawing that runs: data flows along the lines from step to step."
    >
      <ol className="my-2 grid max-w-2xl gap-3 sm:grid-cols-3 text-left">
        {STEPS.map(({ icon: Icon, title, text }) => (
          <li key={title} className="rounded-lg border border-line bg-surface p-3">
            <Icon className="size-4 text-accent-text" aria-hidden />
            <h3 className="mt-2 font-medium">{title}</h3>
            <p className="mt-0.5 text-muted text-xs">{text}</p>
          </li>
        ))}
      </ol>
      {mayWrite && (
        <div className="flex flex-wrap justify-center gap-2">
          <Button variant="primary" size="lg" onClick={onCreate} data-testid="new-workflow-empty">
            <Plus className="size-4" aria-hidden />
            New workflow
          </Button>
          <ImportButton workspace={workspace} size="lg">
            <Upload className="size-4" aria-hidden />
            Import a .wflow.json
          </ImportButton>
        </div>
      )}
    </EmptyState>
  )
}
