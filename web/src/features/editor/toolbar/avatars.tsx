import { useReactFlow } from '@xyflow/react'
import { useCanvas, useOthers } from '../../../canvas/hooks'
import { Avatar } from '../../../components/avatar'

const SHOWN_MAX = 5

/** Who else has this canvas open. A click goes to where they are. */
export function Avatars() {
  const { presence } = useCanvas()
  const others = useOthers('people')
  const { setCenter, getZoom } = useReactFlow()
  const shown = others.slice(0, SHOWN_MAX)
  const goTo = (client: number) => {
    const cursor = presence.others().find((other) => other.client === client)?.cursor
    if (cursor) void setCenter(cursor.x, cursor.y, { zoom: getZoom(), duration: 300 })
  }
  return (
    <div className="-space-x-1.5 flex items-center pr-1" data-testid="avatars">
      {shown.map(({ client, user }) => (
        <button
          key={client}
          type="button"
          aria-label={`Go to ${user.name}`}
          onClick={() => goTo(client)}
          className="rounded-full"
        >
          <Avatar name={user.name} color={user.color} size={26} testId="avatar" />
        </button>
      ))}
      {others.length > SHOWN_MAX && (
        <span className="flex size-6.5 items-center justify-center rounded-full bg-hover font-medium text-2xs text-muted ring-2 ring-panel">
          +{others.length - SHOWN_MAX}
        </span>
      )}
    </div>
  )
}
