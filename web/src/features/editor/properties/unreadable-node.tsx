import { TriangleAlert } from 'lucide-react'
import { useCanvas, useNodeDiagnostics } from '../../../canvas/hooks'
import type { FlowNode } from '../../../canvas/view'
import { Button } from '../../../components/button'
import { Prose } from '../../../components/prose'

/** A step of which nothing can be edited: what is wrong with it, and how to be rid of it [CANVAS-9]. */
export function UnreadableNode({ node }: { node: FlowNode }) {
  const { document } = useCanvas()
  const problems = useNodeDiagnostics(node.id)
  return (
    <div className="flex flex-col gap-3 p-3.5" data-testid="unreadable-node" data-node={node.id}>
      <h2 className="flex items-center gap-2 font-semibold">
        <TriangleAlert className="size-4 shrink-0 text-warn" aria-hidden />
        Unreadable step
      </h2>
      {problems.map(({ code, message, fix }) => (
        <p key={code + message} className="wrap-anywhere rounded-md bg-warn-soft px-2.5 py-1.5 text-warn text-xs">
          <Prose text={[message, fix].filter(Boolean).join(' — ')} />
        </p>
      ))}
      <Button variant="danger" className="self-start" onClick={() => document.remove(new Set([node.id]))}>
        Delete
      </Button>
    </div>
  )
}
