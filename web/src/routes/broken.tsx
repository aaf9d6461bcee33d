import { type ErrorComponentProps, useRouter } from '@tanstack/react-router'
import { Problem } from '../api/problem'
import { Button } from '../components/button'

export function Broken({ error, reset }: ErrorComponentProps) {
  const router = useRouter()
  const solution = error instanceof Problem ? error.details.solution : undefined
  const retry = () => {
    reset()
    void router.invalidate()
  }
  return (
    <main className="flex h-full flex-col items-center justify-center gap-3 p-6 text-center" role="alert">
      <h1 className="font-semibold text-base">This page could not be shown</h1>
      <p className="max-w-md text-muted">{error instanceof Error ? error.message : 'Something unexpected happened.'}</p>
      {solution && <p className="max-w-md text-muted">{solution}</p>}
      <Button onClick={retry}>Try again</Button>
    </main>
  )
}
