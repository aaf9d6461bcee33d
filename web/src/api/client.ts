/** The typed client of the API: bearer token, one renewal when it has expired, problems thrown as `Problem`. */
import createClient from 'openapi-fetch'
import { problemOf, unreachable } from './problem'
import type { paths } from './schema'
import { refresh, token } from './session'

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
  if (!response.ok) throw await problemOf(response)
  return response
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
