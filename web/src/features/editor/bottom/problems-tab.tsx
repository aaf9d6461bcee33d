import clsx from 'clsx'
import { CircleAlert, CircleCheck, Info, TriangleAlert } from 'lucide-react'
import type { Diagnostic, Severity } from '../../../api/types'
import { useCanvas, useFlowNodes, useOverlay } from '../../../canvas/hooks'
import { Prose } from '../../../components/prose'
import { useGoTo } from '../use-go-to'

const ICONS: Record<Severity, { icon: typeof Info; tone: string; label: string }> = {
  error: { icon: CircleAlert, tone: 'text-danger', label: 'Error' },
  warning: { icon: TriangleAlert, tone: 'text-warn', label: 'Warning' },
  info: { icon: Info, tone: 'text-muted', label: 'Information' },
}

/** What is wrong with the workflow as it is now. A click goes there. */
export function ProblemsTab() {
  const diagnostics = useOverlay((state) => state.diagnostics)
  const nodes = useFlowNodes()
  const { view } = useCanvas()
  const goTo = useGoTo()

  if (diagnostics.length === 0) {
    return (
      <p className="flex items-center gap-2 p-4 text-muted" data-testid="problems-none">
        <CircleCheck className="size-4 text-ok" aria-hidden />
        Nothing is wrong: this workflow can run.
      </p>
    )
  }

  const open = ({ node, edge }: Diagnostic) => {
    if (node) goTo(node)
    else if (edge) view.select([], [edge])
  }

  return (
    <ul className="scroll-thin h-full overflow-y-auto p-1.5" data-testid="problems">
      {diagnostics.map((diagnostic, index) => {
        const { icon: Icon, tone, label } = ICONS[diagnostic.severity]
        const name = nodes.find((node) => node.id === diagnostic.node)?.data.label
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: diagnostics have no identity and are replaced as a whole
          <li key={index}>
            <button
              type="button"
              onClick={() => open(diagnostic)}
              data-testid="problem"
              data-code={diagnostic.code}
              data-node={diagnostic.node}
              className="flex w-full items-start gap-2 rounded-md px-2 py-1 text-left hover:bg-hover"
            >
              <Icon className={clsx('mt-0.5 size-3.5 shrink-0', tone)} aria-label={label} />
              <span className="min-w-0 flex-1">
                <Prose text={diagnostic.message} />
                {diagnostic.fix && (
                  <span className="text-muted">
                    {' '}
                    — <Prose text={diagnostic.fix} />
                  </span>
                )}
              </span>
              <span className="shrink-0 text-faint text-xs">
                {name ?? (diagnostic.edge ? 'Connection' : 'Workflow')}
                {diagnostic.field && ` · ${diagnostic.field.replace(/^\//, '')}`}
              </span>
            </button>
          </li>
        )
      })}
    </ul>
  )
}
