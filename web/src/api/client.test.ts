// @vitest-environment jsdom
import { beforeEach, expect, test, vi } from 'vitest'
import type { Problem } from './problem'

const SESSION = {
  access_token: 'fresh',
  token_type: 'Bearer',
  expires_in: 900,
  user: { id: 'u', email: 'a@b.c', name: 'A', role: 'owner', color: '#000000' },
  tenant: { id: 't', name: 'T' },
}

const answers: (() => Response)[] = []
const requests: { path: string; bearer: string | null }[] = []

beforeEach(async () => {
  answers.length = 0
  requests.length = 0
  vi.resetModules()
  localStorage.setItem('troupe.signed-in', 'yes')
  vi.stubGlobal('fetch', async (input: string | Request, init?: RequestInit) => {
    const request = input instanceof Request ? input : undefined
    const headers = request?.headers ?? new Headers(init?.headers)
    const path = new URL(request?.url ?? String(input), 'http://test').pathname
    requests.push({ path, bearer: headers.get('authorization') })
    const answer = answers.shift()
    if (!answer) throw new TypeError('no network')
    return answer()
  })
})

const json = (status: number, body: unknown) => () =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } })
const expired = json(401, { status: 401, code: 'token_expired', title: '', detail: 'The token has expired.' })

test('[AUTH-2] an expired token is renewed once, and the request made again', async () => {
  const { workspaces } = await import('./operations')
  answers.push(expired, json(200, SESSION), json(200, { items: [], next_cursor: null }))
  expect(await workspaces.list()).toMatchObject({ items: [] })
  expect(requests.map(({ path }) => path)).toEqual(['/api/v1/workspaces', '/api/v1/auth/refresh', '/api/v1/workspaces'])
  expect(requests[2]?.bearer).toBe('Bearer fresh')
})

test('when the sign-in has ended, the error is told and the session is over', async () => {
  const { workspaces } = await import('./operations')
  const { session } = await import('./session')
  answers.push(expired, expired, expired)
  await expect(workspaces.list()).rejects.toThrow('The token has expired.')
  expect(session.getState()).toEqual({ kind: 'signed-out', ended: true })
  await expect(workspaces.list()).rejects.toThrow()
  expect(session.getState()).toEqual({ kind: 'signed-out', ended: true })
})

test('concurrent requests share one renewal', async () => {
  const { refresh } = await import('./session')
  answers.push(json(200, SESSION))
  expect(await Promise.all([refresh(), refresh(), refresh()])).toEqual([true, true, true])
  expect(requests).toHaveLength(1)
})

test('[API-2] a problem keeps its solution and its fields', async () => {
  const { workspaces } = await import('./operations')
  const errors = [{ pointer: '/name', detail: 'is empty' }]
  answers.push(
    json(422, {
      status: 422,
      code: 'invalid',
      title: 'Invalid',
      detail: 'The name is empty.',
      solution: 'Give one.',
      errors,
    }),
  )
  const error = await workspaces.create('').catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ status: 422, details: { solution: 'Give one.' } })
  expect((error as Problem).field('/name')).toBe('is empty')
})

test('what is not of the API, and no answer at all, are problems too', async () => {
  const { workspaces } = await import('./operations')
  answers.push(() => new Response('<html>Bad gateway</html>', { status: 502 }))
  await expect(workspaces.list()).rejects.toMatchObject({ status: 502, details: { retryable: true } })
  await expect(workspaces.list()).rejects.toMatchObject({ status: 0, details: { code: 'unreachable' } })
})

test('a sign-out in another tab is one here', async () => {
  const { heedOtherTabs, refresh, session, token } = await import('./session')
  answers.push(json(200, SESSION))
  await refresh()
  heedOtherTabs()
  dispatchEvent(new StorageEvent('storage', { key: 'troupe.theme', newValue: null }))
  expect(token()).toBe('fresh')
  dispatchEvent(new StorageEvent('storage', { key: 'troupe.signed-in', newValue: null }))
  expect(token()).toBeUndefined()
  expect(session.getState()).toEqual({ kind: 'signed-out', ended: false })
})
