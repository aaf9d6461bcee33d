/** The diagram as plain JSON: React Flow's own words, as on the clipboard and in a `.wflow.json`. */

export interface Point {
  x: number
  y: number
}

export type Config = Record<string, unknown>

export interface DiagramNode {
  id: string
  type: 'custom-node'
  position: Point
  data: {
    label: string
    nodeType: string
    connectorType?: string
    config: Config
    disabled?: boolean
    notes?: string
  }
  parentId?: string
  width?: number
  height?: number
}

export interface DiagramEdge {
  id: string
  type: 'custom-edge'
  source: string
  target: string
  sourceHandle?: string
  targetHandle?: string
}

export interface Fragment {
  nodes: DiagramNode[]
  edges: DiagramEdge[]
}

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz'

/** A longer one is cut, so that an id stays an id. */
const PREFIX_CHARS_MAX = 60

/** A short random id that says what it is of, such as `filter_k3v9q0ab`. */
export function freshId(prefix: string): string {
  const random = crypto.getRandomValues(new Uint8Array(8))
  return `${prefix.slice(0, PREFIX_CHARS_MAX)}_${Array.from(random, (byte) => ALPHABET[byte % ALPHABET.length]).join('')}`
}
