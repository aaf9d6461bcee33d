import { Minus, Move, Pencil, Plus } from 'lucide-react'
import type { Change } from '../../../api/types'
import { formatAgo, formatDateTime } from '../../../components/format'
import { byAuthor, nameOf } from './by-author'

const MARKS = {
  added: { Icon: Plus, tone: 'text-ok' },
  removed: { Icon: Minus, tone: 'text-danger' },
  changed: { Icon: Pencil, tone: 'text-accent' },
  moved: { Icon: Move, tone: 'text-faint' },
} as const

/** Who changed what since the published version. */
export function ChangeList({ changes, more }: { changes: readonly Change[]; more: number }) {
  return (
    <div
      className="scroll-thin flex max-h-72 flex-col gap-3 overflow-y-auto rounded-md border p-3"
      data-testid="changes"
    >
      {byAuthor(changes).map((author) => (
        <section
          key={author.id}
          aria-label={`Changes by ${author.name}`}
          data-testid="changes-by"
          data-author={author.name}
        >
          <h3 className="mb-1 font-medium text-xs">{author.name}</h3>
          <ul className="flex flex-col gap-0.5">
            {author.changes.map((change) => (
              <Line key={change.kind + change.id} change={change} />
            ))}
          </ul>
        </section>
      ))}
      {more > 0 && <p className="text-faint text-xs">and {more} more</p>}
    </div>
  )
}

function Line({ change }: { change: Change }) {
  const { Icon, tone } = MARKS[change.change]
  return (
    <li className="flex items-center gap-2 text-sm" data-testid="change" data-change={change.change}>
      <Icon className={`size-3.5 shrink-0 ${tone}`} aria-hidden />
      <span className="sr-only">{change.change}</span>
      <span className="min-w-0 flex-1 truncate">{nameOf(change)}</span>
      <time className="shrink-0 text-faint text-xs" title={formatDateTime(change.at)}>
        {formatAgo(change.at)}
      </time>
    </li>
  )
}
