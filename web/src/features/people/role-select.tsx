import type { Role } from '../../api/types'
import { Select } from '../../components/select'
import { isRole, ROLES } from './roles'

interface RoleSelectProps {
  value: string
  onChange: (role: Role) => void
  testId: string
  id?: string
  label?: string
  compact?: boolean
  disabled?: boolean
}

export function RoleSelect({ onChange, ...rest }: RoleSelectProps) {
  return <Select options={ROLES} onChange={(role) => isRole(role) && onChange(role)} {...rest} />
}
