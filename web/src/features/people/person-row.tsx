import { UserMinus } from 'lucide-react'
import type { User } from '../../api/types'
import { Avatar } from '../../components/avatar'
import { IconButton } from '../../components/button'
import { RoleSelect } from './role-select'
import { useChangePerson } from './use-people'

/** One person; nobody changes their own role. */
export function PersonRow({ person, isMe, onRemove }: { person: User; isMe: boolean; onRemove: () => void }) {
  const change = useChangePerson()
  return (
    <li className="flex items-center gap-3 rounded-lg px-2 py-1.5 hover:bg-hover" data-testid={`person-${person.id}`}>
      <Avatar name={person.name} color={person.color} size={28} />
      <div className="min-w-0 flex-1">
        <p className="truncate font-medium text-sm" data-testid="person-name-shown">
          {person.name}
          {isMe && <span className="ml-1.5 font-normal text-faint">you</span>}
        </p>
        <p className="truncate text-muted text-xs">{person.email}</p>
      </div>
      <div className="w-28 shrink-0">
        <RoleSelect
          compact
          label={`Role of ${person.name}`}
          value={change.isPending ? (change.variables.role ?? person.role) : person.role}
          disabled={isMe}
          onChange={(role) => change.mutate({ id: person.id, role })}
          testId="role"
        />
      </div>
      <IconButton label={`Remove ${person.name}`} onClick={onRemove} disabled={isMe} data-testid="remove-person">
        <UserMinus className="size-4" />
      </IconButton>
    </li>
  )
}
