import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { outputRowsQuery, TAKEN_ROWS_MAX } from '../../../api/queries'
import type { NodeOutput } from '../../../api/types'
import { formatCount } from '../../../components/format'
import { notify, notifyError } from '../../../components/toast'
import { useEditor } from '../state'
import { tsvOf } from './tsv'

/** Takes the rows of a table with the keys that do so everywhere [WEB-5]: how many are taken, and how to leave them. */
export function useTakeRows(run: string, node: string, port: string | undefined, first: NodeOutput) {
  const { keyboard } = useEditor()
  const client = useQueryClient()
  const [isTaken, setTaken] = useState(false)
  const count = Math.min(first.rows, TAKEN_ROWS_MAX)

  useEffect(() => {
    const query = outputRowsQuery(run, node, port, count)
    const columns = first.schema.map(({ name }) => name)
    return keyboard.show('panel', {
      selectAll: () => {
        setTaken(true)
        // They are here by the time that they are copied.
        void client.prefetchQuery(query)
      },
      copy: (clipboard) => {
        if (!isTaken) return false
        const rows = client.getQueryData(query.queryKey)
        if (rows) {
          clipboard.setData('text/plain', tsvOf(columns, rows))
          notify({ kind: 'info', text: told(count, first.rows) })
        } else {
          const text = client.fetchQuery(query).then((loaded) => tsvOf(columns, loaded))
          copyLater(text, () => told(count, first.rows)).catch(notifyError)
        }
        return true
      },
      leave: () => setTaken(false),
    })
  }, [keyboard, client, run, node, port, count, first, isTaken])

  return { taken: isTaken ? count : 0, leave: () => setTaken(false) }
}

/** A clipboard takes what arrives later only over https or on this machine. */
async function copyLater(text: Promise<string>, done: () => string): Promise<void> {
  if (!('clipboard' in navigator)) throw new Error('The rows are still on their way: press again in a moment')
  const type = 'text/plain'
  const blob = text.then((content) => new Blob([content], { type }))
  await navigator.clipboard.write([new ClipboardItem({ [type]: blob })])
  notify({ kind: 'info', text: done() })
}

function told(count: number, rows: number): string {
  return count < rows
    ? `The first ${formatCount(count)} of ${formatCount(rows)} rows are copied`
    : `${formatCount(count)} ${count === 1 ? 'row is' : 'rows are'} copied`
}
