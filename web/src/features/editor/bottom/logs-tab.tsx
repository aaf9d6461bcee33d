import { useVirtualizer } from '@tanstack/react-virtual'
import clsx from 'clsx'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { LogEntry, LogLevel } from '../../../api/types'
import { useFlowNodes } from '../../../canvas/hooks'
import { Input } from '../../../components/field'
import { formatClock } from '../../../components/format'
import { Select } from '../../../components/select'
import { useEditor, useEditorState } from '../state'

const LEVELS: LogLevel[] = ['debug', 'info', 'warn', 'error']
const TONES: Record<LogLevel, string> = {
  debug: 'text-faint',
  info: 'text-muted',
  warn: 'text-warn',
  error: 'text-danger',
}
const LEVEL_OPTIONS = LEVELS.map((level) => ({
  value: level,
  label: level === 'debug' ? 'All levels' : `${level} and above`,
}))
const ROW = 20
const END_SLACK = 30

/** The log of the run, live. It stays at its end until somebody scrolls up. */
export function LogsTab() {
  const { keyboard } = useEditor()
  const logs = useEditorState((state) => state.logs)
  const run = useEditorState((state) => state.run)
  const labels = new Map(useFlowNodes().map((node) => [node.id, node.data.label]))
  const [level, setLevel] = useState<LogLevel>('debug')
  const [search, setSearch] = useState('')
  /** All lines that are shown, to be copied. */
  const [taken, setTaken] = useState(false)
  const scroll = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)

  const shown = useMemo(() => {
    const wanted = search.toLowerCase()
    return logs.filter(
      (entry) => LEVELS.indexOf(entry.level) >= LEVELS.indexOf(level) && entry.message.toLowerCase().includes(wanted),
    )
  }, [logs, level, search])

  useEffect(
    () =>
      keyboard.show('panel', {
        selectAll: () => setTaken(true),
        copy: (clipboard) => {
          if (taken) clipboard.setData('text/plain', shown.map(textOf).join('\n'))
          return taken
        },
        leave: () => setTaken(false),
      }),
    [keyboard, shown, taken],
  )

  const rows = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW,
    overscan: 20,
  })

  useEffect(() => {
    if (atEnd.current && shown.length > 0) rows.scrollToIndex(shown.length - 1)
  }, [shown.length, rows])

  return (
    <div className="flex h-full flex-col">
      <div className="flex flex-wrap items-center gap-2 px-2 py-1.5">
        <div className="w-56 min-w-32 max-w-full flex-1 sm:flex-none">
          <Input
            type="search"
            aria-label="Search the log"
            placeholder="Search the log"
            compact
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
        </div>
        <div className="w-36">
          <Select
            label="Level"
            compact
            value={level}
            options={LEVEL_OPTIONS}
            onChange={(value) => setLevel(value as LogLevel)}
          />
        </div>
        <span className="text-faint text-xs tabular-nums">{shown.length} lines</span>
      </div>
      <div
        ref={scroll}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled with the keyboard
        tabIndex={0}
        onPointerDown={() => setTaken(false)}
        onScroll={({ currentTarget: box }) => {
          atEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < END_SLACK
        }}
        className="scroll-thin min-h-0 flex-1 overflow-auto px-3 font-mono text-xs"
        data-testid="logs"
      >
        {shown.length === 0 && (
          <p className="py-2 font-sans text-muted">
            {run ? 'No lines.' : 'The log of a run appears here, line by line.'}
          </p>
        )}
        <div
          style={{ height: rows.getTotalSize() }}
          className={clsx('relative', taken && 'bg-accent-soft')}
          data-taken={taken || undefined}
        >
          {rows.getVirtualItems().map(({ index, start }) => {
            const entry = shown[index]
            if (!entry) return null
            return (
              <div
                key={entry.seq}
                style={{ transform: `translateY(${start}px)`, height: ROW }}
                className="absolute flex w-full gap-3 whitespace-pre leading-5"
                data-testid="log-line"
              >
                <time className="text-faint">{formatClock(entry.at)}</time>
                <span className={clsx('w-10 uppercase', TONES[entry.level])}>{entry.level}</span>
                <span className="w-40 shrink-0 truncate text-muted">
                  {entry.node_id ? (labels.get(entry.node_id) ?? entry.node_id) : 'run'}
                </span>
                <span className={entry.level === 'error' ? 'text-danger' : undefined}>{entry.message}</span>
              </div>
            )
          })}
        </div>
      </div>
    </div>
  )
}

function textOf({ at, level, node_id, message }: LogEntry): string {
  return [new Date(at).toISOString(), level, node_id ?? 'run', message].join('\t')
}
