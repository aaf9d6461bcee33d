import clsx from 'clsx'
import type { NodeTypeSpec } from '../../api/types'
import { NODE_TYPE_MIME } from '../../canvas/canvas'
import { iconOf, iconStyle } from '../../canvas/icons'

const CATEGORIES = ['Triggers', 'Connectors', 'Filters', 'Transforms', 'Flow', 'AI', 'Applications', 'Human', 'Outputs']

interface PaletteEntryProps {
  spec: NodeTypeSpec
  onAdd: () => void
  iconOnly?: boolean
  /** Enter adds this one. */
  isFirst?: boolean
}

/** One kind of step: dragged onto the canvas, or clicked. */
export function PaletteEntry({ spec, onAdd, iconOnly, isFirst }: PaletteEntryProps) {
  const Icon = iconOf(spec.icon)
  return (
    <button
      type="button"
      draggable
      title={iconOnly ? `${spec.name}: ${spec.description}` : spec.description}
      aria-label={iconOnly ? spec.name : undefined}
      data-testid={`palette-${spec.id}`}
      onClick={onAdd}
      onDragStart={(event) => {
        event.dataTransfer.setData(NODE_TYPE_MIME, spec.id)
        event.dataTransfer.effectAllowed = 'copy'
      }}
      className={clsx(
        'flex h-8 cursor-grab items-center gap-2 rounded-md text-left hover:bg-hover active:cursor-grabbing',
        iconOnly ? 'w-8 justify-center' : 'w-full px-1.5',
        isFirst && 'bg-hover',
      )}
    >
      <span style={iconStyle(spec.color)} className="flex size-6 shrink-0 items-center justify-center rounded">
        <Icon className="size-3.5" aria-hidden />
      </span>
      {!iconOnly && <span className="truncate">{spec.name}</span>}
    </button>
  )
}

/** The steps that a search finds, by category in the order of a workflow. */
export function grouped(specs: readonly NodeTypeSpec[], search: string) {
  const wanted = search.trim().toLowerCase()
  const matching = specs.filter(({ name, description, id, category }) =>
    [name, description, id, category].some((text) => text.toLowerCase().includes(wanted)),
  )
  // Who types a step's name means that step, not one whose description has the word.
  const byName = ({ name }: NodeTypeSpec) => (wanted !== '' && name.toLowerCase().startsWith(wanted) ? 0 : 1)
  matching.sort((a, b) => byName(a) - byName(b))
  const rank = (category: string) => (CATEGORIES.includes(category) ? CATEGORIES.indexOf(category) : CATEGORIES.length)
  const categories = [...new Set(matching.map(({ category }) => category))]
  if (wanted === '') categories.sort((a, b) => rank(a) - rank(b))
  return categories.map((category) => ({ category, specs: matching.filter((spec) => spec.category === category) }))
}
