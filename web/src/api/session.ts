/**
 * Who is signed in. The access token lives in this module's memory and nowhere else; the refresh token is a cookie
 * that scripts cannot read. The token is renewed a minute before it expires, and once when a request finds it expired.
 */
import { createStore } from 'zustand/vanilla'
import { Problem, problemOf, unreachable } from './problem'
import type { Registration, Session, Tenant, User } from './types'

export type SessionState =
  | { kind: 'unknown' }
  | { kind: 'signed-out' }
  | { kind: 'signed-in'; user: User; tenant: Tenant }

export const session = createStore<SessionState>(() => ({ kind: 'unknown' }))

/** Says that the refresh cookie may exist, so that a first visit asks for nothing. */
const HINT = 'troupe.signed-in'
const RENEW_BEFORE_EXPIRY_MS = 60_000
const RETRY_RENEWAL_MS = 10_000

let accessToken: string | undefined
let renewal: ReturnType<typeof setTimeout> | undefined
let refreshing: Promise<boolean> | undefined

export function token(): string | undefined {
  return accessToken
}

export function signIn(email: string, password: string): Promise<void> {
  return authenticate('login', { email, password })
}

export function register(registration: Registration): Promise<void> {
  return authenticate('register', registration)
}

export async function signOut(): Promise<void> {
  await post('logout').catch(() => undefined)
  forget()
}

/** Other tabs share the cookie: who signs out in one is signed out in all. */
export function heedOtherTabs(): void {
  addEventListener('storage', ({ key, newValue }) => {
    if (key === HINT && newValue === null) forget()
  })
}

/** Asks for a new access token by the cookie. `false`: nobody is signed in. Concurrent callers share one request. */
export async function refresh(): Promise<boolean> {
  if (localStorage.getItem(HINT) === null) {
    forget()
    return false
  }
  refreshing ??= alone(renew).finally(() => {
    refreshing = undefined
  })
  return refreshing
}

/**
 * One tab at a time: a refresh token is good for one use, and the second use of one ends the sign-in. Tabs share the
 * cookie, so the next one finds the next token in it.
 */
async function alone(action: () => Promise<boolean>): Promise<boolean> {
  // Not there on a page without TLS that is not on this machine.
  const locks = navigator.locks as LockManager | undefined
  return locks ? await locks.request('troupe.refresh', action) : action()
}

async function renew(): Promise<boolean> {
  const response = await post('refresh')
  if (response.ok) {
    accept((await response.json()) as Session)
    return true
  }
  if (response.status >= 500 || response.status === 429) throw await problemOf(response)
  forget()
  return false
}

async function authenticate(action: 'login' | 'register', body: unknown): Promise<void> {
  const response = await post(action, body)
  if (!response.ok) throw await problemOf(response)
  accept((await response.json()) as Session)
}

async function post(action: string, body?: unknown): Promise<Response> {
  try {
    return await fetch(`/api/v1/auth/${action}`, {
      method: 'POST',
      credentials: 'same-origin',
      // A page that is left meanwhile must not lose the next refresh token.
      keepalive: true,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    })
  } catch {
    throw unreachable()
  }
}

function accept(answer: Session): void {
  accessToken = answer.access_token
  localStorage.setItem(HINT, 'yes')
  session.setState({ kind: 'signed-in', user: answer.user, tenant: answer.tenant }, true)
  schedule(Math.max(answer.expires_in * 1000 - RENEW_BEFORE_EXPIRY_MS, answer.expires_in * 500))
}

function schedule(delay: number): void {
  clearTimeout(renewal)
  renewal = setTimeout(() => {
    refresh().catch((error: unknown) => {
      if (error instanceof Problem) schedule(RETRY_RENEWAL_MS)
    })
  }, delay)
}

function forget(): void {
  accessToken = undefined
  localStorage.removeItem(HINT)
  clearTimeout(renewal)
  session.setState({ kind: 'signed-out' }, true)
}
