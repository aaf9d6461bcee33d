/** The last answers of the API to what the pages ask first, for when the server is away. */
import { Problem } from '../api/problem'
import { databaseOf } from './database'

/** Asks the server; where it cannot be reached, tells what it said last. */
export async function orKept<T>(user: string | undefined, key: string, ask: () => Promise<T>): Promise<T> {
  const database = user === undefined ? undefined : await databaseOf(user)
  try {
    const answer = await ask()
    database?.put('answers', answer, key).catch(() => undefined)
    return answer
  } catch (error) {
    const kept = isAway(error) ? await database?.get('answers', key).catch(() => undefined) : undefined
    if (kept === undefined) throw error
    return kept as T
  }
}

/** Whether nobody, or only a proxy in front, has answered. */
export function isAway(error: unknown): boolean {
  return error instanceof Problem && (error.status === 0 || [502, 503, 504].includes(error.status))
}
