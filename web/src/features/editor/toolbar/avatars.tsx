import { useReactFlow } from '@xyflow/react'
import { useCanvas, useOthers } from '../../../canvas/hooks'
import { Avatar } from '../../../components/avatar'
import { TIGHT, useMedia } from '../../../components/use-media'

const SHOWN_MAX = 5
const SHOWN_TIGHT_MAX = 2

/** Who else has this canvas open. A click goes to where they are. */
export function Avatars() {
  const { presence } = useCanvas()
  const others = useOthers('people')
  const { setCenter, getZoom } = useReactFlow()
  const max = useMedia(TIGHT) ? SHOWN_TIGHT_MAX : SHOWN_MAX
  const shown = others.slice(0, max)
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
      {others.length > max && (
        <span className="flex size-6.5 items-center justify-center rounded-full bg-hover font-medium text-2xs text-muted ring-2 ring-panel">
          +{others.length - max}
        </span>
      )}
    </div>
  )
}
