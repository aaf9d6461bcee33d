/** The changes that an owner can make to who has access. */
import { users } from '../../api/operations'
import type { UserChange } from '../../api/types'
import { useChange } from '../use-change'

export const useAddPerson = () => useChange(users.create, ['users'])
export const useChangePerson = () =>
  useChange(({ id, ...changes }: UserChange & { id: string }) => users.change(id, changes), ['users'])
export const useRemovePerson = () => useChange(users.remove, ['users'])
