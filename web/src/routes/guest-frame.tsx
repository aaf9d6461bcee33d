import type { ReactNode } from 'react'
import { Logo } from '../components/logo'
import { ThemeMenu } from '../components/theme-menu'

export function GuestFrame({ title, children, footer }: { title: string; children: ReactNode; footer: ReactNode }) {
  return (
    <main className="guest-backdrop relative flex min-h-full items-center justify-center p-6">
      <div className="absolute top-3 right-3">
        <ThemeMenu />
      </div>
      <div className="w-full max-w-88">
        <div className="mb-6 flex flex-col items-center gap-3 text-center">
          <Logo size={40} />
          <div>
            <h1 className="font-semibold text-xl tracking-tight">{title}</h1>
            <p className="mt-1 text-muted">Build workflows together. Watch them run.</p>
          </div>
        </div>
        <div className="rounded-xl border border-line bg-panel p-5 shadow-card">{children}</div>
        <p className="mt-4 text-center text-muted">{footer}</p>
      </div>
    </main>
  )
}
