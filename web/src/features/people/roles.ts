import type { Role } from '../../api/types'
import type { Option } from '../../components/select'

/** What each role means, for whoever gives it. */
export const ROLES: readonly (Option & { value: Role })[] = [
  { value: 'owner', label: 'Owner', description: 'Edits, runs, and decides who has access' },
  { value: 'member', label: 'Member', description: 'Edits and runs everything here' },
  { value: 'viewer', label: 'Viewer', description: 'Sees everything, changes nothing' },
]

export function isRole(value: string): value is Role {
  return ROLES.some((role) => role.value === value)
}
