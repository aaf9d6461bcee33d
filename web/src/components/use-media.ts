import { useSyncExternalStore } from 'react'

/** Below this a page is as narrow as a phone: parts lie over the canvas instead of beside it. As Tailwind's `md`. */
export const NARROW = '(max-width: 767px)'
/** Below this there is no room for words beside icons. As Tailwind's `lg`. */
export const TIGHT = '(max-width: 1023px)'

/** Whether a media query holds, now and whenever that changes. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const media = matchMedia(query)
      media.addEventListener('change', listener)
      return () => media.removeEventListener('change', listener)
    },
    () => matchMedia(query).matches,
  )
}
