import { Columns3 } from 'lucide-react'
import type { Column } from '../api/types'
import { formatCompact, formatCount } from '../components/format'
import { columnLabel } from './column-label'

/** Of a wide table. */
const NAMED_MAX = 30

interface EdgeLabelProps {
  id: string
  /** How many went along it in the run that is shown. */
  rows: number | undefined
  columns: readonly Column[]
}

/** What goes along a line: how many rows in a run, else how many columns; which they are, when pointed at. */
export function EdgeLabel({ id, rows, columns }: EdgeLabelProps) {
  const about = [rows === undefined ? '' : `${formatCount(rows)} rows`, ...described(columns)]
    .filter(Boolean)
    .join('\n')
  if (rows !== undefined) {
    return (
      <span
        data-testid={`edge-rows-${id}`}
        title={about}
        className="rounded-full border border-line bg-panel edge-rows px-1.5 py-px text-muted text-xs tabular-nums shadow-xs"
      >
        {formatCompact(rows)}
      </span>
    )
  }
  return (
    <span
      data-testid={`edge-columns-${id}`}
      title={about}
      className="edge-columns flex items-center gap-0.5 rounded-full bg-canvas px-1 text-2xs text-faint tabular-nums"
    >
      <Columns3 className="size-[1em]" aria-hidden />
      {columns.length}
    </span>
  )
}

function described(columns: readonly Column[]): string[] {
  const named = columns.slice(0, NAMED_MAX).map(({ name, type }) => `${columnLabel(name)}: ${type}`)
  return columns.length > NAMED_MAX ? [...named, `and ${columns.length - NAMED_MAX} more`] : named
}
