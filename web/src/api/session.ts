/**
 * Who is signed in. The access token lives in this module's memory and nowhere else; the refresh token is a cookie
 * that scripts cannot read. The token is renewed a minute before it expires, and once when a request finds it expired.
 *
 * Who was signed in last is remembered by name, so that the application opens while the server is away. Only what this
 * device keeps can be seen then; the server is asked again as soon as it is back.
 */
import { createStore } from 'zustand/vanilla'
import { isAway } from '../offline/answers'
import { forgetUser } from '../offline/database'
import { Problem, problemOf, unreachable } from './problem'
import type { Registration, Session, Tenant, User } from './types'

export type SessionState =
  | { kind: 'unknown' }
  /** `ended`: not by who was signed in, who has to be told. */
  | { kind: 'signed-out'; ended: boolean }
  /** `remembered`: the server has not confirmed it yet. */
  | { kind: 'signed-in'; user: User; tenant: Tenant; remembered: boolean }

export const session = createStore<SessionState>(() => ({ kind: 'unknown' }))

/** Who is signed in: says that the refresh cookie may exist, so that a first visit asks for nothing. */
const HINT = 'troupe.signed-in'
const RENEW_BEFORE_EXPIRY_MS = 60_000
const RETRY_RENEWAL_MS = 10_000
/** A server that has not answered by then is away, for the opening of a page. */
const ANSWER_MS = 5_000

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

/** Signs out, and takes away what this device keeps for who is signed in. */
export async function signOut(): Promise<void> {
  const state = session.getState()
  await post('logout').catch(() => undefined)
  forget()
  if (state.kind === 'signed-in') await forgetUser(state.user.id)
}

/** Whether somebody is signed in, by the server's word; by this device's memory while the server is away. */
export async function isSignedIn(): Promise<boolean> {
  if (session.getState().kind === 'unknown') {
    const answer = refresh().catch((error: unknown) => {
      if (!isAway(error) || !resume()) throw error
      return true
    })
    const waited = new Promise<void>((resolve) => setTimeout(resolve, ANSWER_MS)).then(() => resume() || answer)
    await Promise.race([answer, waited])
  }
  return session.getState().kind === 'signed-in'
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
  forget({ ended: true })
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

/** The server said that the role is another one now. */
export function setRole(role: string): void {
  const state = session.getState()
  if (state.kind === 'signed-in' && state.user.role !== role) {
    session.setState({ ...state, user: { ...state.user, role } })
  }
}

function accept(answer: Session): void {
  const { user, tenant } = answer
  accessToken = answer.access_token
  localStorage.setItem(HINT, JSON.stringify({ user, tenant }))
  session.setState({ kind: 'signed-in', user, tenant, remembered: false }, true)
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

/** Goes on as who was signed in last. `false`: nobody was. */
function resume(): boolean {
  if (session.getState().kind !== 'unknown') return true
  const last = remembered()
  if (!last) return false
  session.setState({ kind: 'signed-in', ...last, remembered: true }, true)
  schedule(RETRY_RENEWAL_MS)
  return true
}

function remembered(): { user: User; tenant: Tenant } | undefined {
  try {
    const last = JSON.parse(localStorage.getItem(HINT) ?? 'null') as { user?: User; tenant?: Tenant } | null
    return last?.user && last.tenant ? { user: last.user, tenant: last.tenant } : undefined
  } catch {
    return undefined
  }
}

function forget({ ended } = { ended: false }): void {
  accessToken = undefined
  localStorage.removeItem(HINT)
  clearTimeout(renewal)
  session.setState(
    (before) => ({ kind: 'signed-out', ended: ended || (before.kind === 'signed-out' && before.ended) }),
    true,
  )
}
