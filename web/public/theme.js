// Runs before the first paint, so that a chosen theme does not flash. The application takes over in `components/theme.ts`.
const chosen = localStorage.getItem('troupe.theme')
const dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
document.documentElement.dataset.theme = dark ? 'dark' : 'light'
