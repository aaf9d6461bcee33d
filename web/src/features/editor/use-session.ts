import { useEffect, useState } from 'react'
import { useStore } from 'zustand'
import { socketUrl } from '../../api/live'
import { ticket } from '../../api/operations'
import { Problem } from '../../api/problem'
import { session } from '../../api/session'
import type { NodeTypeSpec } from '../../api/types'
import { CanvasHost } from '../../canvas/host'
import type { Person } from '../../canvas/other'
import type { CanvasSession } from '../../canvas/session'
import { Refused } from '../../canvas/sync/connection'
import { tellReplaced } from './replaced'

/** Opens the canvas of a workflow while the page shows it. */
export function useHost(workflow: string, nodeTypes: readonly NodeTypeSpec[]): CanvasHost | undefined {
  const [opened, setOpened] = useState<CanvasHost>()

  useEffect(() => {
    const host = new CanvasHost({
      workflow,
      nodeTypes,
      me: me(),
      address: (epoch) => address(workflow, epoch),
      onReplaced: tellReplaced,
    })
    setOpened(host)
    const warn = (event: BeforeUnloadEvent) => host.wouldLeaveEdits && event.preventDefault()
    addEventListener('beforeunload', warn)
    return () => {
      removeEventListener('beforeunload', warn)
      host.close()
      setOpened(undefined)
    }
  }, [workflow, nodeTypes])

  return opened
}

/** The document that is shown now: another one after a rebuild on the server. */
export function useSession(host: CanvasHost): CanvasSession | null {
  return useStore(host.state, (state) => state.session)
}

function me(): Person {
  const state = session.getState()
  return state.kind === 'signed-in' ? state.user : { id: '', name: 'Somebody', color: '#7c7c8a' }
}

async function address(workflow: string, epoch: number | undefined): Promise<string> {
  try {
    const { ticket: value } = await ticket(workflow)
    const query = new URLSearchParams({
      ticket: value,
      ack: '1',
      ...(epoch === undefined ? {} : { epoch: `${epoch}` }),
    })
    return socketUrl(`/collab/${workflow}?${query}`)
  } catch (error) {
    if (error instanceof Problem && [401, 403, 404].includes(error.status)) {
      throw new Refused(4000 + error.status, error.message)
    }
    throw error
  }
}
