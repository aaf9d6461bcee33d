/** The map of the pages. Everything behind the sign-in is loaded when it is first opened. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router'
import { isSignedIn } from '../api/session'
import { Broken } from './broken'
import { Missing } from './missing'
import { RegisterPage } from './register'
import { SignInPage } from './sign-in'

/** Only a path of this site: a link to elsewhere must not pass through the sign-in. */
function localPath(value: unknown): string | undefined {
  return typeof value === 'string' && /^\/(?!\/|\\)/.test(value) ? value : undefined
}

const root = createRootRoute({ component: Outlet, notFoundComponent: Missing, errorComponent: Broken })

const guests = createRoute({
  getParentRoute: () => root,
  id: 'guests',
  validateSearch: (search: Record<string, unknown>): { next?: string } => {
    const next = localPath(search.next)
    return next ? { next } : {}
  },
  beforeLoad: async ({ search }) => {
    if (await isSignedIn()) throw redirect({ href: search.next ?? '/' })
  },
})

const members = createRoute({
  getParentRoute: () => root,
  id: 'members',
  beforeLoad: async ({ location }) => {
    if (await isSignedIn()) return
    throw redirect({ to: '/sign-in', search: location.href === '/' ? {} : { next: location.href } })
  },
})

const signIn = createRoute({ getParentRoute: () => guests, path: '/sign-in', component: SignInPage })
const register = createRoute({ getParentRoute: () => guests, path: '/register', component: RegisterPage })

const home = createRoute({
  getParentRoute: () => members,
  path: '/',
  validateSearch: (search: Record<string, unknown>): { workspace?: string } =>
    typeof search.workspace === 'string' ? { workspace: search.workspace } : {},
  component: lazyRouteComponent(() => import('./home'), 'HomePage'),
})

const workflow = createRoute({
  getParentRoute: () => members,
  path: '/workflows/$workflow',
  component: lazyRouteComponent(() => import('./workflow'), 'WorkflowPage'),
})

export const router = createRouter({
  routeTree: root.addChildren([guests.addChildren([signIn, register]), members.addChildren([home, workflow])]),
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
