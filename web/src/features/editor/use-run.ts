import { useMutation } from '@tanstack/react-query'
import { runs } from '../../api/operations'
import { Problem, unreachable } from '../../api/problem'
import { useCanvas } from '../../canvas/hooks'
import { notifyError } from '../../components/toast'
import { isLive, showTab, useEditor, useEditorState } from './state'
import { follow } from './use-live'

/** How long Run waits for the last edits to be committed. */
const SAVE_WAIT_MS = 3_000

/** Starting a run of the canvas as it is now, and stopping the one that is on. */
export function useRun() {
  const session = useCanvas()
  const { workflow, store } = useEditor()
  const run = useEditorState((state) => state.run)

  const start = useMutation({
    mutationFn: async () => {
      if (session.provider.state.getState().save === 'offline') throw unreachable()
      await session.provider.saved(SAVE_WAIT_MS)
      return runs.start(workflow)
    },
    onSuccess: (started) => {
      follow(started, session, store)
      showTab(store, 'run')
    },
    onError: (error) => {
      notifyError(error)
      if (error instanceof Problem && error.status === 422) showTab(store, 'problems')
    },
  })
  const cancel = useMutation({ mutationFn: (id: string) => runs.cancel(id), onError: notifyError })

  return {
    run,
    live: isLive(run),
    starting: start.isPending,
    canceling: cancel.isPending,
    start: () => start.mutate(),
    cancel: () => run && cancel.mutate(run.id),
  }
}
