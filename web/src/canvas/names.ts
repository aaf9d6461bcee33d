/** Names that tell steps apart: “Filter”, “Filter 2”, “Filter 3”. */

const NUMBERED = /^(.+) (\d+)$/s
/** Of a step's name, as its field takes it. */
const CHARS_MAX = 200

/** Gives each name that is taken the next free number. Each call adds to what is taken. */
export function distinctNames(existing: Iterable<string>): (wanted: string) => string {
  const taken = new Set(existing)
  /** The last number that was given to a name, so that a thousand copies do not each count from two. */
  const last = new Map<string, number>()
  return (wanted) => {
    const name = wanted === '' || !taken.has(wanted) ? wanted : numbered(wanted)
    taken.add(name)
    return name
  }

  function numbered(wanted: string): string {
    const base = baseOf(wanted)
    for (let number = (last.get(base) ?? 1) + 1; ; number++) {
      const suffix = ` ${number}`
      const name = `${base.slice(0, CHARS_MAX - suffix.length)}${suffix}`
      if (taken.has(name)) continue
      last.set(base, number)
      return name
    }
  }

  /** A number at the end counts copies only if there is the name without it: “Sales 2024” is no copy of “Sales”. */
  function baseOf(name: string): string {
    const base = NUMBERED.exec(name)?.[1]
    return base !== undefined && taken.has(base) ? base : name
  }
}
