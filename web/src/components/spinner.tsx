import { LoaderCircle } from 'lucide-react'

export function Spinner({ label }: { label?: string }) {
  return (
    <div className="flex h-full items-center justify-center gap-2 text-muted" role="status">
      <LoaderCircle className="size-4 animate-spin" aria-hidden />
      {label ?? 'Loading…'}
    </div>
  )
}
