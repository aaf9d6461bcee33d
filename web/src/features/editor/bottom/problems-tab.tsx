import clsx from 'clsx'
import { CircleAlert, CircleCheck, Info, Trash2, TriangleAlert } from 'lucide-react'
import type { Diagnostic, Severity } from '../../../api/types'
import type { Flaw } from '../../../canvas/flaws'
import { useCanvas, useFlowNodes, useOverlay, useReadOnly } from '../../../canvas/hooks'
import { Button } from '../../../components/button'
import { formatCount } from '../../../components/format'
import { Prose } from '../../../components/prose'
import { useGoTo } from '../use-go-to'

const ICONS: Record<Severity, { icon: typeof Info; tone: string; label: string }> = {
  error: { icon: CircleAlert, tone: 'text-danger', label: 'Error' },
  warning: { icon: TriangleAlert, tone: 'text-warn', label: 'Warning' },
  info: { icon: Info, tone: 'text-muted', label: 'Information' },
}
/** Who has this many problems looks at the first ones. */
const SHOWN_MAX = 300

/** What is wrong with the workflow as it is now. A click goes there. */
export function ProblemsTab() {
  const diagnostics = useOverlay((state) => state.diagnostics)
  const moreFlaws = useOverlay((state) => state.moreFlaws)
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
  const names = new Map(nodes.map(({ id, data }) => [id, data.label]))
  const more = diagnostics.length + moreFlaws - SHOWN_MAX

  return (
    <ul className="scroll-thin h-full overflow-y-auto p-1.5" data-testid="problems">
      {diagnostics.slice(0, SHOWN_MAX).map((diagnostic, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: diagnostics have no identity and are replaced as a whole
        <li key={index} className="flex items-start gap-1">
          <Line diagnostic={diagnostic} name={names.get(diagnostic.node ?? '')} onOpen={() => open(diagnostic)} />
          {'root' in diagnostic && <DeleteFlawed flaw={diagnostic} />}
        </li>
      ))}
      {more > 0 && <li className="px-2 py-1 text-faint text-xs">and {formatCount(more)} more</li>}
    </ul>
  )
}

interface LineProps {
  diagnostic: Diagnostic
  name: string | undefined
  onOpen: () => void
}

function Line({ diagnostic, name, onOpen }: LineProps) {
  const { icon: Icon, tone, label } = ICONS[diagnostic.severity]
  return (
    <button
      type="button"
      onClick={onOpen}
      data-testid="problem"
      data-code={diagnostic.code}
      data-node={diagnostic.node}
      className="flex w-full min-w-0 flex-1 items-start gap-2 rounded-md px-2 py-1 text-left hover:bg-hover"
    >
      <Icon className={clsx('mt-0.5 size-3.5 shrink-0', tone)} aria-label={label} />
      <span className="wrap-anywhere min-w-0 flex-1">
        <Prose text={diagnostic.message} />
        {diagnostic.fix && (
          <span className="text-muted">
            {' '}
            — <Prose text={diagnostic.fix} />
          </span>
        )}
      </span>
      <span className="max-w-40 shrink-0 truncate text-faint text-xs">
        {name || (diagnostic.edge ? 'Connection' : diagnostic.node ? 'Step' : 'Workflow')}
        {diagnostic.field && ` · ${diagnostic.field.replace(/^\//, '')}`}
      </span>
    </button>
  )
}

/** Deletes what cannot be read, which has no other handle on the canvas. */
function DeleteFlawed({ flaw }: { flaw: Flaw }) {
  const { document } = useCanvas()
  const readOnly = useReadOnly()
  return (
    <Button
      variant="ghost"
      disabled={readOnly}
      onClick={() => document.removeEntry(flaw.root, flaw.id)}
      data-testid="problem-delete"
    >
      <Trash2 className="size-3.5" aria-hidden />
      Delete
    </Button>
  )
}
