/** Says what became of unsaved edits when a fresh document took the place of another. */
import type { CanvasSession } from '../../canvas/session'
import type { Stale } from '../../canvas/sync/provider'
import type { Path } from '../../canvas/sync/touches'
import { download } from '../../components/download'
import { notify } from '../../components/toast'

const NAMED_MAX = 3

const LOST: Record<Stale, string> = {
  refused: 'You may only read this workflow now.',
  rebuilt: 'You may not edit this workflow.',
  'too-large': 'This change does not fit: the canvas is at its limit.',
}

export function tellReplaced(
  why: Stale,
  carried: number,
  lost: readonly Path[],
  file: Blob,
  before: CanvasSession,
): void {
  if (lost.length > 0) {
    notify({
      kind: 'error',
      text: LOST[why],
      detail: `Not saved: ${listed(lost, before)}.`,
      lasting: true,
      action: { label: 'Download it', run: () => download(file, 'not-saved.json') },
    })
  } else if (why === 'too-large') {
    notify({ kind: 'error', text: LOST[why] })
  } else if (carried > 0) {
    notify({
      kind: 'info',
      text: 'The canvas was rebuilt on the server',
      detail: `Your ${carried === 1 ? 'change that was' : `${carried} changes that were`} not saved yet moved with it.`,
    })
  }
}

function listed(paths: readonly Path[], { document }: CanvasSession): string {
  const names = paths.slice(0, NAMED_MAX).map((path) => placeName(path, (id) => document.node(id)?.data.label))
  const more = paths.length - names.length
  return [...names, ...(more > 0 ? [`${more} more`] : [])].join(', ')
}

/** Such as: “Flights”, its query. */
function placeName([root, id, ...keys]: Path, labelOf: (id: string) => string | undefined): string {
  if (root !== 'nodes' || id === undefined) return 'a connection'
  const key = keys.filter((part) => part !== 'data' && part !== 'config').at(0)
  const name = `“${labelOf(id) || id}”`
  return key === undefined ? name : `${key.replaceAll('_', ' ')} of ${name}`
}
