/** This page among the pages of the browser, so that none takes over what another one is still working on. */
import { uuidv4 } from 'lib0/random'

export const PAGE = uuidv4()

const PREFIX = 'troupe.page.'

// Not there on a page without TLS that is not on this machine.
const locks = navigator.locks as LockManager | undefined

/** Held for as long as this page lives; the browser lets it go however the page ends. */
void locks?.request(PREFIX + PAGE, () => new Promise(() => undefined))

/** The pages that are open. Where the browser does not tell, this one alone. */
export async function openPages(): Promise<ReadonlySet<string>> {
  const { held = [] } = (await locks?.query()) ?? {}
  return new Set([PAGE, ...held.map(({ name }) => name?.slice(PREFIX.length) ?? '')])
}
