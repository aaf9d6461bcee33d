import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Problem } from './api/problem'
import { heedOtherTabs, session } from './api/session'
import { Toasts } from './components/toast'
import { TooltipProvider } from './components/tooltip'
import { keepShell } from './offline/shell'
import { router } from './routes/router'
import './styles/app.css'

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // Without a network the last answers are told, which is for the query to find out.
      networkMode: 'always',
      staleTime: 10_000,
      retry: (failures, error) => failures < 3 && error instanceof Problem && error.details.retryable === true,
    },
  },
})

// Whoever signs out leaves nothing behind for the next person at this screen.
session.subscribe(({ kind }) => {
  if (kind !== 'signed-out') return
  queries.clear()
  void router.invalidate()
})

// What was told from this device's memory is asked anew; whoever is signed in can work without the server.
session.subscribe((now, before) => {
  if (now.kind !== 'signed-in' || now.remembered) return
  keepShell()
  if (before.kind === 'signed-in' && before.remembered) void queries.invalidateQueries()
})

heedOtherTabs()

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <TooltipProvider delayDuration={400}>
        <RouterProvider router={router} />
        <Toasts />
      </TooltipProvider>
    </QueryClientProvider>
  </StrictMode>,
)
