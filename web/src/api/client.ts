/**
 * The typed client of the API: bearer token, one renewal when it has expired, problems thrown as `Problem`. Who is
 * refused may have another role than this page thinks, and asks.
 */
import createClient from 'openapi-fetch'
import { problemOf, unreachable } from './problem'
import type { components, paths } from './schema'
import { refresh, setRole, token } from './session'

type Me = components['schemas']['Me']

export const client = createClient<paths>({ baseUrl: location.origin, fetch: authorized })

/** The content of a successful answer; any other was thrown. */
export async function content<T>(request: Promise<{ data?: T }>): Promise<T> {
  const { data } = await request
  return data as T
}

async function authorized(request: Request): Promise<Response> {
  const again = request.clone()
  let response = await send(request)
  if (response.status === 401 && (await refresh())) response = await send(again)
  if (response.status === 403) void askRole()
  if (!response.ok) throw await problemOf(response)
  return response
}

async function askRole(): Promise<void> {
  const response = await send(new Request(new URL('/api/v1/auth/me', location.origin))).catch(() => undefined)
  if (response?.ok) setRole(((await response.json()) as Me).user.role)
}

async function send(request: Request): Promise<Response> {
  const bearer = token()
  if (bearer) request.headers.set('authorization', `Bearer ${bearer}`)
  try {
    return await fetch(request)
  } catch {
    throw unreachable()
  }
}
