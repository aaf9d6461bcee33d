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
    <div
      className="scroll-thin flex h-full flex-col items-center gap-3 overflow-y-auto p-8 text-center max-md:p-4"
      data-testid="empty-state"
    >
      <div className="mt-auto flex size-11 shrink-0 items-center justify-center rounded-xl border border-line bg-sunken text-muted [&_svg]:size-5">
        {icon}
      </div>
      <div className="max-w-md">
        <h2 className="font-semibold text-base">{title}</h2>
        <p className="mt-1 text-muted">{text}</p>
      </div>
      {children}
      <div className="mb-auto" />
    </div>
  )
}
