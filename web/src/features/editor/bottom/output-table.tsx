import { useQueries } from '@tanstack/react-query'
import { type ColumnDef, flexRender, getCoreRowModel, useReactTable } from '@tanstack/react-table'
import { useVirtualizer } from '@tanstack/react-virtual'
import clsx from 'clsx'
import { useMemo, useRef, useState } from 'react'
import { OUTPUT_PAGE_ROWS, outputQuery } from '../../../api/queries'
import type { Column, NodeOutput } from '../../../api/types'
import { columnLabel } from '../../../canvas/column-label'
import { formatCount } from '../../../components/format'
import { MOD } from '../../../components/platform'
import { cellText, isNumeric, wholeText } from './cell'
import { pagesOf } from './pages'
import { useTakeRows } from './use-take-rows'

type Row = Record<string, unknown>

interface OutputTableProps {
  run: string
  node: string
  port: string | undefined
  first: NodeOutput
}

const ROW = 26
const INDEX_WIDTH = 64
const SAMPLE_ROWS = 50
/** Browsers cannot scroll through more pixels than this many rows take. */
const ROWS_MAX = 600_000
const NONE: Row[] = []

/**
 * Rows of a frame. ARIA roles instead of table elements, because virtual rows are positioned, which those cannot be.
 * Only what is in view is in the page, and only the pages in view are asked for: any row is one drag away.
 */
export function OutputTable({ run, node, port, first }: OutputTableProps) {
  const scroll = useRef<HTMLDivElement>(null)
  const [pages, setPages] = useState<readonly number[]>([0])
  const rows = useRows(run, node, port, pages)
  const { taken, leave } = useTakeRows(run, node, port, first)
  const sample = first.items as Row[]
  const definitions = useMemo(
    () => first.schema.map((column, place) => definition(column, place, sample)),
    [first, sample],
  )
  const table = useReactTable({
    data: NONE,
    columns: definitions,
    getCoreRowModel: getCoreRowModel(),
    columnResizeMode: 'onChange',
  })
  const virtual = useVirtualizer({
    count: Math.min(first.rows, ROWS_MAX),
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW,
    overscan: 12,
    onChange: ({ range, isScrolling }) => {
      if (!range) return
      const wanted = pagesOf(range.startIndex, range.endIndex, first.rows, OUTPUT_PAGE_ROWS)
      // What a fast scroll passes by is not asked for; its next page is.
      setPages((known) => {
        const isNear = wanted.some((page) => known.includes(page))
        return (isScrolling && !isNear) || String(wanted) === String(known) ? known : wanted
      })
    },
  })

  return (
    <div className="relative h-full">
      <div
        ref={scroll}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled with the keyboard
        tabIndex={0}
        onPointerDown={leave}
        className="scroll-thin h-full overflow-auto border-line border-t text-xs focus-visible:outline-offset-[-2px]"
        data-testid="output-table"
      >
        <div
          role="table"
          aria-rowcount={first.rows + 1}
          style={{ width: table.getTotalSize() + INDEX_WIDTH }}
          className="min-w-full"
        >
          <div role="row" tabIndex={-1} className="sticky top-0 z-10 flex border-line border-b bg-surface">
            <div role="columnheader" tabIndex={-1} style={{ width: INDEX_WIDTH }} className="shrink-0" />
            {table.getFlatHeaders().map((header) => (
              <div
                key={header.id}
                role="columnheader"
                tabIndex={-1}
                style={{ width: header.getSize() }}
                className="group relative flex shrink-0 items-baseline gap-1.5 border-line border-l px-2 py-1"
              >
                {flexRender(header.column.columnDef.header, header.getContext())}
                <span
                  aria-hidden
                  onPointerDown={header.getResizeHandler()}
                  className="absolute top-0 right-0 h-full w-1.5 cursor-col-resize group-hover:bg-accent/30"
                />
              </div>
            ))}
          </div>
          <div style={{ height: virtual.getTotalSize() }} className="relative" role="rowgroup">
            {virtual.getVirtualItems().map(({ index, start }) => {
              const row = rows(index)
              return (
                <div
                  key={index}
                  role="row"
                  tabIndex={-1}
                  aria-rowindex={index + 2}
                  aria-busy={row === undefined}
                  data-testid="output-row"
                  style={{ transform: `translateY(${start}px)`, height: ROW }}
                  className={clsx(
                    'absolute flex min-w-full items-center border-line border-b tabular-nums',
                    index < taken ? 'bg-accent-soft' : 'hover:bg-hover',
                  )}
                >
                  <div style={{ width: INDEX_WIDTH }} className="shrink-0 px-2 text-right text-faint" aria-hidden>
                    {index + 1}
                  </div>
                  {first.schema.map(({ name, type }, place) => (
                    <div
                      key={name}
                      role="cell"
                      data-column={name}
                      style={{ width: table.getColumn(idOf(place))?.getSize() }}
                      className="shrink-0 truncate border-line border-l px-2 leading-[26px]"
                    >
                      {row && <Cell value={row[name]} numeric={isNumeric(type)} />}
                    </div>
                  ))}
                </div>
              )
            })}
          </div>
        </div>
      </div>
      {taken > 0 && (
        <p
          role="status"
          data-testid="output-taken"
          className="absolute right-4 bottom-3 rounded-md bg-accent px-2 py-0.5 text-white text-xs shadow-card"
        >
          {formatCount(taken)} rows selected: {MOD}C copies them
        </p>
      )}
    </div>
  )
}

/** The rows of these pages; one that has not arrived is `undefined`. */
function useRows(run: string, node: string, port: string | undefined, pages: readonly number[]) {
  const loaded = useQueries({
    queries: pages.map((page) => outputQuery(run, node, port, page)),
    combine: (answers) => new Map(pages.map((page, index) => [page, answers[index]?.data?.items as Row[] | undefined])),
  })
  return (index: number) => loaded.get(Math.floor(index / OUTPUT_PAGE_ROWS))?.[index % OUTPUT_PAGE_ROWS]
}

/** A column is known by its place: its name may be empty, which the table takes for no id. */
function idOf(place: number): string {
  return String(place)
}

function definition({ name, type }: Column, place: number, rows: readonly Row[]): ColumnDef<Row> {
  return {
    id: idOf(place),
    size: widthOf(name, type, rows),
    minSize: 60,
    header: () => (
      <>
        <span className={clsx('truncate whitespace-pre font-medium', name === '' && 'text-muted italic')}>
          {columnLabel(name)}
        </span>
        <span className="text-2xs text-faint">{type}</span>
      </>
    ),
  }
}

/** Wide enough for the header and for what the first rows hold, within reason. */
function widthOf(name: string, type: string, rows: readonly Row[]): number {
  const lengths = rows.slice(0, SAMPLE_ROWS).map((row) => (row[name] == null ? 4 : cellText(row[name]).length))
  const header = columnLabel(name).length * 7.5 + type.length * 6 + 30
  return Math.round(Math.min(320, Math.max(header, Math.max(0, ...lengths) * 7.5 + 22, 72)))
}

function Cell({ value, numeric }: { value: unknown; numeric: boolean }) {
  if (value === null || value === undefined) return <span className="text-faint italic">null</span>
  return (
    <span title={wholeText(value)} className={clsx('block truncate', numeric && 'text-right font-mono')}>
      {cellText(value)}
    </span>
  )
}
