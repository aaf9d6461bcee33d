/** What a role allows, so that nothing is offered that the server would refuse. The server decides. */
export type Level = 'read' | 'write' | 'execute' | 'admin'

const LEVELS: Record<string, readonly Level[]> = {
  owner: ['read', 'write', 'execute', 'admin'],
  member: ['read', 'write', 'execute'],
  viewer: ['read'],
}

export function may(role: string, level: Level): boolean {
  return LEVELS[role]?.includes(level) ?? false
}
