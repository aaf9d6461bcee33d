import { useEffect, useState } from 'react'
import { socketUrl } from '../../api/live'
import { ticket } from '../../api/operations'
import { Problem } from '../../api/problem'
import { session } from '../../api/session'
import type { NodeTypeSpec } from '../../api/types'
import type { Person } from '../../canvas/presence'
import { Refused } from '../../canvas/provider'
import { CanvasSession } from '../../canvas/session'

/** Opens the canvas of a workflow while the page shows it. */
export function useSession(workflow: string, nodeTypes: readonly NodeTypeSpec[]): CanvasSession | undefined {
  const [opened, setOpened] = useState<CanvasSession>()

  useEffect(() => {
    const canvas = new CanvasSession({ nodeTypes, me: me(), address: () => address(workflow) })
    setOpened(canvas)
    const warn = (event: BeforeUnloadEvent) => canvas.provider.unsaved && event.preventDefault()
    addEventListener('beforeunload', warn)
    return () => {
      removeEventListener('beforeunload', warn)
      canvas.destroy()
      setOpened(undefined)
    }
  }, [workflow, nodeTypes])

  return opened
}

function me(): Person {
  const state = session.getState()
  return state.kind === 'signed-in' ? state.user : { id: '', name: 'Somebody', color: '#7c7c8a' }
}

async function address(workflow: string): Promise<string> {
  try {
    const { ticket: value } = await ticket(workflow)
    return socketUrl(`/collab/${workflow}?ticket=${encodeURIComponent(value)}&ack=1`)
  } catch (error) {
    if (error instanceof Problem && [401, 403, 404].includes(error.status)) {
      throw new Refused(4000 + error.status, error.message)
    }
    throw error
  }
}
