/** The nodes whose parents lead back to themselves, however many there are: each is looked at once. */
export function loops(parents: ReadonlyMap<string, string>): Set<string> {
  const looped = new Set<string>()
  const seen = new Set<string>()
  for (const start of parents.keys()) {
    const path: string[] = []
    const places = new Map<string, number>()
    let id: string | undefined = start
    while (id !== undefined && !seen.has(id)) {
      seen.add(id)
      places.set(id, path.length)
      path.push(id)
      id = parents.get(id)
    }
    const from = id === undefined ? undefined : places.get(id)
    if (from !== undefined) for (const member of path.slice(from)) looped.add(member)
  }
  return looped
}
