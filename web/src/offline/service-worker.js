/*
 * Keeps the application's own files for when the server is away, so that a page can be opened again without it. The
 * newest files are always the server's: these are for want of an answer. Knows nothing of data, which is in IndexedDB.
 */

/** Put in by the build: `{ version, files }`. */
const SHELL = __SHELL__
const PREFIX = 'troupe-shell-'
const CACHE = PREFIX + SHELL.version
/** Pages that are open still load parts of the version before. */
const VERSIONS_MAX = 2
/** A server that does not answer by then is away. */
const ANSWER_MS = 4_000
const NOT_PAGES = ['api', 'health', 'metrics', 'ws', 'collab']
/** The files are the same whatever the request's headers are. */
const BY_NAME = { ignoreVary: true }

addEventListener('install', (event) => event.waitUntil(install()))
addEventListener('activate', (event) => event.waitUntil(activate()))

addEventListener('message', (event) => {
  if (event.data === 'claim') event.waitUntil(clients.claim())
})

addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== location.origin) return
  if (request.mode === 'navigate') {
    if (!NOT_PAGES.includes(pathname.split('/')[1])) event.respondWith(page(request))
  } else if (pathname.startsWith('/assets/')) {
    event.respondWith(named(request))
  } else if (SHELL.files.includes(pathname)) {
    event.respondWith(answered(request, pathname))
  }
})

async function install() {
  const cache = await caches.open(CACHE)
  await cache.addAll(SHELL.files)
  await skipWaiting()
}

async function activate() {
  const versions = (await caches.keys()).filter((name) => name.startsWith(PREFIX))
  const outdated = versions.filter((name) => name !== CACHE).slice(0, -(VERSIONS_MAX - 1))
  await Promise.all(outdated.map((name) => caches.delete(name)))
  await clients.claim()
}

/** Every page is `index.html`, which routes itself. */
function page(request) {
  return answered(request, '/index.html')
}

/** What is named by its content never changes. */
async function named(request) {
  return (await caches.match(request, BY_NAME)) ?? fetch(request)
}

async function answered(request, path) {
  const response = await Promise.race([fetch(request), afterWait()]).catch(() => undefined)
  if (response && response.status < 500) return response
  const cache = await caches.open(CACHE)
  return (await cache.match(path, BY_NAME)) ?? response ?? Response.error()
}

function afterWait() {
  return new Promise((resolve) => setTimeout(resolve, ANSWER_MS))
}
