import { type FormEvent, useState } from 'react'
import { Problem } from '../api/problem'

/** One submission at a time; what the server refuses is kept until the next. */
export function useGuestForm(action: () => Promise<void>) {
  const [error, setError] = useState<Problem>()
  const [busy, setBusy] = useState(false)

  async function submit(event: FormEvent) {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      await action()
    } catch (refused) {
      if (!(refused instanceof Problem)) throw refused
      setError(refused)
    } finally {
      setBusy(false)
    }
  }

  return { error, busy, submit }
}
