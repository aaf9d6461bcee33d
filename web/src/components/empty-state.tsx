import type { ReactNode } from 'react'

export function EmptyState({
  icon,
  title,
  text,
  children,
}: {
  icon: ReactNode
  title: string
  text: string
  children?: ReactNode
}) {
  return (
    <div className="flex h-full flex-col items-center justify-center gap-3 p-8 text-center" data-testid="empty-state">
      <div className="flex size-11 items-center justify-center rounded-xl border border-line bg-sunken text-muted [&_svg]:size-5">
        {icon}
      </div>
      <div className="max-w-md">
        <h2 className="font-semibold text-base">{title}</h2>
        <p className="mt-1 text-muted">{text}</p>
      </div>
      {children}
    </div>
  )
}
