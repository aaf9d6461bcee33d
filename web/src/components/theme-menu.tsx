import { Monitor, Moon, Sun } from 'lucide-react'
import { IconButton } from './button'
import { Menu, MenuItem } from './menu'
import { setTheme, type Theme, useTheme } from './theme'

const THEMES: [Theme, string, typeof Sun][] = [
  ['light', 'Light', Sun],
  ['dark', 'Dark', Moon],
  ['system', 'System', Monitor],
]

export function ThemeMenu() {
  const { theme, dark } = useTheme()
  return (
    <Menu
      trigger={
        <IconButton label="Theme" data-testid="theme-toggle">
          {dark ? <Moon className="size-4" /> : <Sun className="size-4" />}
        </IconButton>
      }
    >
      {THEMES.map(([value, label, Icon]) => (
        <MenuItem
          key={value}
          icon={<Icon />}
          checked={theme === value}
          onSelect={() => setTheme(value)}
          testId={`theme-${value}`}
        >
          {label}
        </MenuItem>
      ))}
    </Menu>
  )
}
