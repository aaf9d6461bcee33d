/** Auto-layout by ELK: layers from left to right, few crossings. Loaded only when asked for. */
import type ElkApi from 'elkjs/lib/elk.bundled.js'
import type { Point } from './diagram'
import type { FlowEdge, FlowNode } from './view'

const CARD = { width: 220, height: 72 }

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'RIGHT',
  'elk.layered.spacing.nodeNodeBetweenLayers': '72',
  'elk.spacing.nodeNode': '36',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.separateConnectedComponents': 'true',
}

export async function layout(nodes: readonly FlowNode[], edges: readonly FlowEdge[]): Promise<Map<string, Point>> {
  const { default: Elk } = (await import('elkjs/lib/elk.bundled.js')) as { default: typeof ElkApi }
  const arranged = await new Elk().layout({
    id: 'canvas',
    layoutOptions: OPTIONS,
    children: nodes.map((node) => ({
      id: node.id,
      width: node.measured?.width ?? CARD.width,
      height: node.measured?.height ?? CARD.height,
    })),
    edges: edges.map((edge) => ({ id: edge.id, sources: [edge.source], targets: [edge.target] })),
  })
  return new Map(
    (arranged.children ?? []).map((child) => [child.id, { x: Math.round(child.x ?? 0), y: Math.round(child.y ?? 0) }]),
  )
}
