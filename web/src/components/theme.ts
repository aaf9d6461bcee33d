/** Light, dark, or what the system says; the choice is kept in this browser. */
import { create } from 'zustand'

export type Theme = 'system' | 'light' | 'dark'

const KEY = 'troupe.theme'
const system = matchMedia('(prefers-color-scheme: dark)')

function stored(): Theme {
  const value = localStorage.getItem(KEY)
  return value === 'light' || value === 'dark' ? value : 'system'
}

function isDark(theme: Theme): boolean {
  return theme === 'dark' || (theme === 'system' && system.matches)
}

export const useTheme = create<{ theme: Theme; dark: boolean }>(() => ({ theme: stored(), dark: isDark(stored()) }))

export function setTheme(theme: Theme): void {
  if (theme === 'system') localStorage.removeItem(KEY)
  else localStorage.setItem(KEY, theme)
  apply(theme)
}

function apply(theme: Theme): void {
  const dark = isDark(theme)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
  useTheme.setState({ theme, dark })
}

system.addEventListener('change', () => apply(useTheme.getState().theme))
