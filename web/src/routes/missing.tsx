import { Link } from '@tanstack/react-router'

export function Missing() {
  return (
    <main className="flex h-full flex-col items-center justify-center gap-2 text-center">
      <h1 className="font-semibold text-base">There is nothing here</h1>
      <p className="text-muted">The address may be mistyped, or what was here has been deleted.</p>
      <Link to="/" className="text-accent-text underline underline-offset-2">
        Back to your workflows
      </Link>
    </main>
  )
}
