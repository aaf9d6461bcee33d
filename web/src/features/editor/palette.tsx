import { Search } from 'lucide-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { NodeTypeSpec } from '../../api/types'
import { NODE_TYPE_MIME } from '../../canvas/canvas'
import { useOverlay } from '../../canvas/hooks'
import { iconOf } from '../../canvas/icons'
import { Input } from '../../components/field'
import { Kbd } from '../../components/kbd'
import { useEditorState } from './state'
import { useAddNode } from './use-add-node'

const CATEGORIES = ['Triggers', 'Connectors', 'Filters', 'Transforms', 'Flow', 'AI', 'Applications', 'Human', 'Outputs']

/** The steps there are: searched, by category, dragged or clicked onto the canvas. */
export function Palette() {
  const nodeTypes = useOverlay((state) => state.nodeTypes)
  const [search, setSearch] = useState('')
  const input = useRef<HTMLInputElement>(null)
  const focus = useEditorState((state) => state.focusPalette)
  const add = useAddNode()
  const groups = useMemo(() => grouped([...nodeTypes.values()], search), [nodeTypes, search])
  const first = groups[0]?.specs[0]

  useEffect(() => {
    if (focus > 0) input.current?.select()
  }, [focus])

  return (
    <aside aria-label="Steps" className="flex w-56 shrink-0 flex-col border-r bg-surface" data-testid="palette">
      <div className="relative p-2">
        <Search className="-translate-y-1/2 absolute top-1/2 left-4 size-3.5 text-faint" aria-hidden />
        <Input
          ref={input}
          type="search"
          aria-label="Search steps"
          placeholder="Search steps"
          className="h-8 pr-9 pl-7"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') event.currentTarget.blur()
            if (event.key === 'Enter' && first) {
              add(first)
              setSearch('')
            }
          }}
          data-testid="palette-search"
        />
        <span className="-translate-y-1/2 pointer-events-none absolute top-1/2 right-4">
          <Kbd>Tab</Kbd>
        </span>
      </div>
      <div className="scroll-thin flex-1 overflow-y-auto px-2 pb-3">
        {groups.length === 0 && <p className="p-3 text-center text-faint">No step matches “{search}”.</p>}
        {groups.map(({ category, specs }) => (
          <section key={category} aria-label={category}>
            <h3 className="px-1.5 pt-2.5 pb-1 font-medium text-2xs text-faint">{category}</h3>
            {specs.map((spec) => (
              <PaletteEntry key={spec.id} spec={spec} onAdd={() => add(spec)} />
            ))}
          </section>
        ))}
      </div>
    </aside>
  )
}

function PaletteEntry({ spec, onAdd }: { spec: NodeTypeSpec; onAdd: () => void }) {
  const Icon = iconOf(spec.icon)
  return (
    <button
      type="button"
      draggable
      title={spec.description}
      data-testid={`palette-${spec.id}`}
      onClick={onAdd}
      onDragStart={(event) => {
        event.dataTransfer.setData(NODE_TYPE_MIME, spec.id)
        event.dataTransfer.effectAllowed = 'copy'
      }}
      className="flex h-8 w-full cursor-grab items-center gap-2 rounded-md px-1.5 text-left hover:bg-hover active:cursor-grabbing"
    >
      <span
        style={{ color: spec.color, backgroundColor: `color-mix(in srgb, ${spec.color} 14%, transparent)` }}
        className="flex size-6 shrink-0 items-center justify-center rounded"
      >
        <Icon className="size-3.5" aria-hidden />
      </span>
      <span className="truncate">{spec.name}</span>
    </button>
  )
}

function grouped(specs: NodeTypeSpec[], search: string) {
  const wanted = search.trim().toLowerCase()
  const matching = specs.filter(({ name, description, id, category }) =>
    [name, description, id, category].some((text) => text.toLowerCase().includes(wanted)),
  )
  const rank = (category: string) => (CATEGORIES.includes(category) ? CATEGORIES.indexOf(category) : CATEGORIES.length)
  const categories = [...new Set(matching.map(({ category }) => category))].sort((a, b) => rank(a) - rank(b))
  return categories.map((category) => ({ category, specs: matching.filter((spec) => spec.category === category) }))
}
