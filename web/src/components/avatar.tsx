export function Avatar({
  name,
  color,
  size = 24,
  testId,
}: {
  name: string
  color: string
  size?: number
  testId?: string
}) {
  return (
    <span
      role="img"
      aria-label={name}
      title={name}
      data-testid={testId}
      style={{ backgroundColor: color, width: size, height: size, fontSize: Math.round(size * 0.42) }}
      className="inline-flex shrink-0 select-none items-center justify-center rounded-full font-semibold text-white ring-2 ring-panel"
    >
      {initials(name)}
    </span>
  )
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/)
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0]]
  return letters.map((word) => word?.[0]?.toUpperCase() ?? '?').join('')
}
