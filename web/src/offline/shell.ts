/** Has the browser keep the application's own files, so that it opens without the server. */

/** Needs https, or this machine: elsewhere browsers have no service workers, and a page once closed needs the server. */
export function keepShell(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return
  // A browser that refuses goes without.
  void register().catch(() => undefined)
}

async function register(): Promise<void> {
  const { serviceWorker } = navigator
  await serviceWorker.register('/service-worker.js')
  const { active } = await serviceWorker.ready
  // A page that loads while the worker begins is not among those that it takes over then.
  if (!serviceWorker.controller) active?.postMessage('claim')
}
