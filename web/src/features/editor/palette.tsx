import { PanelLeftClose, PanelLeftOpen, Search } from 'lucide-react'
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import type { NodeTypeSpec } from '../../api/types'
import { useOverlay, useProvider, useReadOnly } from '../../canvas/hooks'
import { IconButton } from '../../components/button'
import { Input } from '../../components/field'
import { Kbd } from '../../components/kbd'
import { NARROW, useMedia } from '../../components/use-media'
import { hintOf } from './keyboard/shortcuts'
import { grouped, PaletteEntry } from './palette-entry'
import { pinPalette, useEditor, useEditorState } from './state'
import { useAddNode } from './use-add-node'

/**
 * The steps there are: searched, by category, dragged or clicked onto the canvas. Pinned, it has its own room; else it
 * is a rail of icons, and lies over the canvas while somebody searches. On a narrow page there is no rail.
 */
export function Palette() {
  const { store } = useEditor()
  const narrow = useMedia(NARROW)
  const pinned = useEditorState((state) => state.palettePinned) && !narrow
  const wanted = useEditorState((state) => state.focusPalette)
  const loaded = useProvider((state) => state.loaded)
  const nodeTypes = useOverlay((state) => state.nodeTypes)
  const [searching, setSearching] = useState(false)
  const add = useAddNode()

  useEffect(() => {
    if (wanted > 0) setSearching(true)
  }, [wanted])

  const choose = (spec: NodeTypeSpec) => {
    add(spec)
    setSearching(false)
  }
  const isOpen = pinned || searching
  if (useReadOnly()) return null

  return (
    <aside
      aria-label="Steps"
      className={
        pinned
          ? 'flex w-56 shrink-0 border-r'
          : 'flex shrink-0 bg-surface max-md:absolute max-md:inset-y-0 md:relative md:w-13 md:border-r'
      }
      onBlur={({ currentTarget, relatedTarget }) => !currentTarget.contains(relatedTarget) && setSearching(false)}
      data-part="palette"
      data-testid="palette"
    >
      {loaded && !isOpen && !narrow && (
        <Rail nodeTypes={[...nodeTypes.values()]} onAdd={add}>
          <IconButton
            label="Show the steps"
            shortcut={hintOf('search-steps')}
            onClick={() => pinPalette(store, true)}
            className="size-8"
          >
            <PanelLeftOpen className="size-4" />
          </IconButton>
        </Rail>
      )}
      {loaded && isOpen && (
        <div
          className={
            pinned
              ? 'flex w-full flex-col bg-surface'
              : 'absolute inset-y-0 left-0 z-30 flex w-64 animate-pop flex-col border-r bg-surface shadow-pop'
          }
        >
          <List
            nodeTypes={[...nodeTypes.values()]}
            focus={wanted}
            onAdd={choose}
            onLeave={() => setSearching(false)}
            action={
              (pinned || narrow) && (
                <IconButton
                  label={narrow ? 'Close the steps' : 'Show icons only'}
                  onClick={() => (narrow ? setSearching(false) : pinPalette(store, false))}
                  className="size-8"
                >
                  <PanelLeftClose className="size-4" />
                </IconButton>
              )
            }
          />
        </div>
      )}
    </aside>
  )
}

interface RailProps {
  nodeTypes: readonly NodeTypeSpec[]
  onAdd: (spec: NodeTypeSpec) => void
  children: ReactNode
}

function Rail({ nodeTypes, onAdd, children }: RailProps) {
  const groups = useMemo(() => grouped(nodeTypes, ''), [nodeTypes])
  return (
    <div className="scroll-none flex w-full flex-col items-center gap-1 overflow-y-auto py-2">
      {children}
      {groups.map(({ category, specs }) => (
        <section key={category} aria-label={category} className="flex flex-col border-line border-t pt-1">
          {specs.map((spec) => (
            <PaletteEntry key={spec.id} spec={spec} iconOnly onAdd={() => onAdd(spec)} />
          ))}
        </section>
      ))}
    </div>
  )
}

interface ListProps {
  nodeTypes: readonly NodeTypeSpec[]
  /** Counts requests to put the focus into the search. */
  focus: number
  onAdd: (spec: NodeTypeSpec) => void
  onLeave: () => void
  action: ReactNode
}

function List({ nodeTypes, focus, onAdd, onLeave, action }: ListProps) {
  const { keyboard } = useEditor()
  const [search, setSearch] = useState('')
  const input = useRef<HTMLInputElement>(null)
  const groups = useMemo(() => grouped(nodeTypes, search), [nodeTypes, search])
  const first = groups[0]?.specs[0]

  useEffect(() => {
    if (focus > 0) input.current?.select()
  }, [focus])

  const leave = () => {
    setSearch('')
    input.current?.blur()
    keyboard.give('canvas')
    onLeave()
  }

  return (
    <>
      <div className="flex items-center gap-1 p-2">
        <div className="relative flex-1">
          <Search className="-translate-y-1/2 absolute top-1/2 left-2 size-3.5 text-faint" aria-hidden />
          <Input
            ref={input}
            type="search"
            aria-label="Search steps"
            placeholder="Search steps"
            className="h-8 pr-9 pl-7"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === 'Escape') leave()
              if (event.key === 'Enter' && first) {
                onAdd(first)
                leave()
              }
            }}
            data-testid="palette-search"
          />
          {search === '' && (
            <span className="-translate-y-1/2 pointer-events-none absolute top-1/2 right-2">
              <Kbd>{hintOf('search-steps')}</Kbd>
            </span>
          )}
        </div>
        {action}
      </div>
      <div className="scroll-thin flex-1 overflow-y-auto px-2 pb-3">
        {groups.length === 0 && <p className="p-3 text-center text-faint">No step matches “{search}”.</p>}
        {groups.map(({ category, specs }) => (
          <section key={category} aria-label={category}>
            <h3 className="px-1.5 pt-2.5 pb-1 font-medium text-2xs text-faint">{category}</h3>
            {specs.map((spec) => (
              <PaletteEntry
                key={spec.id}
                spec={spec}
                isFirst={search !== '' && spec === first}
                onAdd={() => onAdd(spec)}
              />
            ))}
          </section>
        ))}
      </div>
    </>
  )
}
