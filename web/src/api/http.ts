/** One request to the API: bearer token, one renewal when it has expired, problems thrown as `Problem`. */
import { Problem, problemOf, unreachable } from './problem'
import { refresh, token } from './session'

type Query = Record<string, string | number | boolean | null | undefined>

export async function request<T>(
  method: string,
  path: string,
  options: { body?: unknown; query?: Query } = {},
): Promise<T> {
  let response = await send(method, path, options)
  if (response.status === 401 && (await refresh())) response = await send(method, path, options)
  if (!response.ok) throw await problemOf(response)
  if (response.status === 204) return undefined as T
  return (await response.json()) as T
}

async function send(
  method: string,
  path: string,
  { body, query }: { body?: unknown; query?: Query },
): Promise<Response> {
  const headers = new Headers()
  const bearer = token()
  if (bearer) headers.set('authorization', `Bearer ${bearer}`)
  if (body !== undefined) headers.set('content-type', 'application/json')
  try {
    return await fetch(`/api/v1${path}${queryString(query)}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    })
  } catch {
    throw unreachable()
  }
}

function queryString(query: Query = {}): string {
  const pairs = Object.entries(query).flatMap(([key, value]) => (value == null ? [] : [[key, String(value)]]))
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs)}`
}

export { Problem }
