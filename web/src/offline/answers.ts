/** The last answers of the API to what the pages ask first, for when the server is away. */
import { Problem } from '../api/problem'
import { databaseOf } from './database'

/**
 * Asks the server; where it cannot be reached, tells what it said last. `signedIn` tells who is signed in: an answer
 * that comes after its user has signed out is not kept, since nothing of his may stay on this device.
 */
export async function orKept<T>(signedIn: () => string | undefined, key: string, ask: () => Promise<T>): Promise<T> {
  const user = signedIn()
  if (user === undefined) return ask()
  try {
    const answer = await ask()
    if (signedIn() === user) void keep(user, key, answer)
    return answer
  } catch (error) {
    if (!isAway(error) || signedIn() !== user) throw error
    const kept = await (await databaseOf(user))?.get('answers', key).catch(() => undefined)
    if (kept === undefined) throw error
    return kept as T
  }
}

/** What cannot be kept is asked for again. */
async function keep(user: string, key: string, answer: unknown): Promise<void> {
  await (await databaseOf(user))?.put('answers', answer, key).catch(() => undefined)
}

/** Whether nobody, or only a proxy in front, has answered. */
export function isAway(error: unknown): boolean {
  return error instanceof Problem && (error.status === 0 || [502, 503, 504].includes(error.status))
}
