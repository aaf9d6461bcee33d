import { type ColumnDef, flexRender, getCoreRowModel, useReactTable } from '@tanstack/react-table'
import { useVirtualizer } from '@tanstack/react-virtual'
import clsx from 'clsx'
import { useMemo, useRef } from 'react'
import type { Column } from '../../../api/types'
import { cellText, isNumeric } from './cell'

type Row = Record<string, unknown>

interface OutputTableProps {
  columns: readonly Column[]
  rows: Row[]
  total: number
  /** The end of what is loaded is in view. */
  onEnd: () => void
}

const ROW = 26
const INDEX_WIDTH = 56
const SAMPLE_ROWS = 50

/**
 * Rows of a frame. ARIA roles instead of table elements, because virtual rows are positioned, which those cannot be.
 * Only what is in view is in the page; the next page is asked for at the end of the last.
 */
export function OutputTable({ columns, rows, total, onEnd }: OutputTableProps) {
  const scroll = useRef<HTMLDivElement>(null)
  const definitions = useMemo(() => columns.map((column) => definition(column, rows)), [columns, rows])
  const table = useReactTable({
    data: rows,
    columns: definitions,
    getCoreRowModel: getCoreRowModel(),
    columnResizeMode: 'onChange',
  })
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW,
    overscan: 12,
    onChange: ({ range }) => {
      if (range && range.endIndex >= rows.length - 20 && rows.length < total) onEnd()
    },
  })
  const width = table.getTotalSize() + INDEX_WIDTH

  return (
    <div
      ref={scroll}
      className="scroll-thin h-full overflow-auto border-line border-t text-xs"
      data-testid="output-table"
    >
      <div role="table" aria-rowcount={total + 1} style={{ width }} className="min-w-full">
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
            const row = table.getRowModel().rows[index]
            if (!row) return null
            return (
              <div
                key={row.id}
                role="row"
                tabIndex={-1}
                aria-rowindex={index + 2}
                data-testid="output-row"
                style={{ transform: `translateY(${start}px)`, height: ROW }}
                className="absolute flex min-w-full items-center border-line border-b tabular-nums hover:bg-hover"
              >
                <div style={{ width: INDEX_WIDTH }} className="shrink-0 px-2 text-right text-faint" aria-hidden>
                  {index + 1}
                </div>
                {row.getVisibleCells().map((cell) => (
                  <div
                    key={cell.id}
                    role="cell"
                    data-column={cell.column.id}
                    style={{ width: cell.column.getSize() }}
                    className="shrink-0 truncate border-line border-l px-2 leading-[26px]"
                  >
                    {flexRender(cell.column.columnDef.cell, cell.getContext())}
                  </div>
                ))}
              </div>
            )
          })}
        </div>
      </div>
    </div>
  )
}

function definition({ name, type }: Column, rows: readonly Row[]): ColumnDef<Row> {
  return {
    id: name,
    accessorFn: (row) => row[name],
    size: widthOf(name, type, rows),
    minSize: 60,
    header: () => (
      <>
        <span className="truncate font-medium">{name}</span>
        <span className="text-2xs text-faint">{type}</span>
      </>
    ),
    cell: (context) => <Cell value={context.getValue()} numeric={isNumeric(type)} />,
  }
}

/** Wide enough for the header and for what the first rows hold, within reason. */
function widthOf(name: string, type: string, rows: readonly Row[]): number {
  const lengths = rows.slice(0, SAMPLE_ROWS).map((row) => (row[name] == null ? 4 : cellText(row[name]).length))
  const header = name.length * 7.5 + type.length * 6 + 30
  return Math.round(Math.min(320, Math.max(header, Math.max(0, ...lengths) * 7.5 + 22, 72)))
}

function Cell({ value, numeric }: { value: unknown; numeric: boolean }) {
  if (value === null || value === undefined) return <span className="text-faint italic">null</span>
  const text = cellText(value)
  return (
    <span title={text} className={clsx('block truncate', numeric && 'text-right font-mono')}>
      {text}
    </span>
  )
}
