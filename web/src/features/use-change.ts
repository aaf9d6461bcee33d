import { useMutation, useQueryClient } from '@tanstack/react-query'
import { notifyError } from '../components/toast'

/** A change that a person makes; what was changed is read again. */
export function useChange<Input, Output>(
  action: (input: Input) => Promise<Output>,
  keys: string[],
  onError: (error: Error) => void = notifyError,
) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: action,
    onSettled: () => Promise.all(keys.map((key) => client.invalidateQueries({ queryKey: [key] }))),
    onError,
  })
}
