/** View choices that this browser keeps. */

export function remembered(key: string): boolean | undefined {
  const value = localStorage.getItem(`troupe.${key}`)
  return value === null ? undefined : value === 'yes'
}

export function remember(key: string, choice: boolean): void {
  localStorage.setItem(`troupe.${key}`, choice ? 'yes' : 'no')
}
