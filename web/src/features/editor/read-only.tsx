import { Eye } from 'lucide-react'
import { useProvider } from '../../canvas/hooks'

/** Says that, and why, nothing can be edited here. */
export function ReadOnly() {
  const shown = useProvider((state) => state.loaded && !state.mayEdit && state.ended === null)
  const reason = useProvider((state) => state.reason)
  if (!shown) return null
  return (
    <p
      role="status"
      data-testid="read-only"
      className="flex items-center gap-2 border-b bg-warn-soft px-4 py-1.5 text-warn text-xs"
    >
      <Eye className="size-3.5 shrink-0" aria-hidden />
      {reason ?? 'You may look at this workflow, but not change or run it. Ask an owner if you need to.'}
    </p>
  )
}
