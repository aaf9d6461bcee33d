import { useStore } from 'zustand'
import { type Level, may } from '../api/may'
import { session } from '../api/session'

/** Whether the person who is signed in may do this; follows a change of their role. */
export function useMay(level: Level): boolean {
  return useStore(session, (state) => state.kind === 'signed-in' && may(state.user.role, level))
}
