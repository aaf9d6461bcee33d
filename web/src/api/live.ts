/** The tab's one connection to the server's events. */
import { Events } from './events'
import { refresh, session, setRole, token } from './session'

let usedToken: string | undefined

async function freshToken(): Promise<string | undefined> {
  // A token that already opened a connection may be why that one was closed: renew it before the next.
  if (token() === usedToken) await refresh()
  usedToken = token()
  return usedToken
}

export const events = new Events({ url: socketUrl('/ws'), authorize: freshToken, onRole: setRole })

session.subscribe(() => {
  const current = token()
  if (!current || current === usedToken) return
  usedToken = current
  events.renew(current)
})

export function socketUrl(path: string): string {
  return `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}${path}`
}
