/** Has the browser keep the application's own files, so that it opens without the server. */

/** Needs https, or this machine: elsewhere browsers have no service workers, and a page once closed needs the server. */
export function keepShell(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return
  // A browser that refuses goes without.
  void navigator.serviceWorker.register('/service-worker.js').catch(() => undefined)
}
