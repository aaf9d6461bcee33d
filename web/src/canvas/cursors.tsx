import { useStore, ViewportPortal } from '@xyflow/react'
import clsx from 'clsx'
import { memo } from 'react'
import { useOthers } from './hooks'
import type { Other } from './other'

/** More pointers than this do not glide: the eye cannot follow them, and each would be animated all the time. */
const GLIDING_MAX = 12

/** The pointers of everybody else, where they are on the canvas, at the same size at every zoom. */
export function Cursors() {
  const others = useOthers('cursor')
  const zoom = useStore((state) => state.transform[2])
  const glides = others.length <= GLIDING_MAX
  return (
    <ViewportPortal>
      {others.map(
        ({ client, user, cursor }) =>
          cursor && <Cursor key={client} user={user} cursor={cursor} zoom={zoom} glides={glides} />,
      )}
    </ViewportPortal>
  )
}

interface CursorProps {
  user: Other['user']
  cursor: NonNullable<Other['cursor']>
  zoom: number
  glides: boolean
}

const Cursor = memo(function Cursor({ user, cursor, zoom, glides }: CursorProps) {
  return (
    <div
      data-testid="cursor"
      data-user={user.name}
      style={{ transform: `translate(${cursor.x}px, ${cursor.y}px) scale(${1 / zoom})` }}
      className={clsx(
        'pointer-events-none absolute top-0 left-0 z-50 origin-top-left will-change-transform',
        glides && 'transition-transform duration-75 ease-linear',
      )}
    >
      <svg
        width="18"
        height="18"
        viewBox="0 0 18 18"
        fill={user.color}
        stroke="white"
        strokeWidth="1.2"
        aria-hidden="true"
      >
        <path d="M2 2 L15.5 7.6 L9.4 9.4 L7.4 15.6 Z" />
      </svg>
      <span
        style={{ backgroundColor: user.color }}
        className="absolute top-3.5 left-3.5 whitespace-nowrap rounded-md rounded-tl-none px-1.5 py-0.5 font-medium text-2xs text-white shadow-card"
      >
        {user.name}
      </span>
    </div>
  )
})
