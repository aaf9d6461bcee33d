import {
  Background,
  BackgroundVariant,
  type Connection,
  ReactFlow,
  SelectionMode,
  useReactFlow,
  useStore,
} from '@xyflow/react'
import clsx from 'clsx'
import { type DragEvent, type PointerEvent, type ReactNode, useCallback, useState } from 'react'
import { addNode, canConnect, connect } from './actions'
import { CanvasMap } from './canvas-map'
import { Cursors } from './cursors'
import { DataEdge } from './data-edge'
import { useCanvas, useFlowNodes, useOverlay, useReadOnly } from './hooks'
import { NodeCard } from './node-card'
import { useDrawnEdges } from './use-drawn-edges'
import { type FlowEdge, type FlowNode, MANY_NODES, RENDER_ALL_MAX } from './view'
import { FAR_ZOOM, FIT, overflows } from './viewport'

const NODE_TYPES = { 'custom-node': NodeCard }
const EDGE_TYPES = { 'custom-edge': DataEdge }
const PAN_BUTTONS = [1, 2]
/** What is said of a node and an edge to who may only look. */
const READ_ONLY_LABELS = {
  'node.a11yDescription.default': 'Press enter or space to select a node, and escape to cancel.',
  'node.a11yDescription.keyboardDisabled': 'Press enter or space to select a node, and escape to cancel.',
  'edge.a11yDescription.default': 'Press enter or space to select an edge, and escape to cancel.',
}
const LABELS = {}

const ZOOM_MIN = 0.08
/** Among thousands, a view holds some hundred cards. */
const MANY_ZOOM_MIN = 0.3

/** What a dragged entry of the palette carries. */
export const NODE_TYPE_MIME = 'application/x-troupe-node-type'

interface CanvasProps {
  children?: ReactNode
  onClickNode?: (id: string) => void
  onOpenNode?: (id: string) => void
}

export function Canvas({ children, onClickNode, onOpenNode }: CanvasProps) {
  const session = useCanvas()
  const { view, presence } = session
  const nodes = useFlowNodes()
  const edges = useDrawnEdges()
  const nodeTypes = useOverlay((state) => state.nodeTypes)
  const readOnly = useReadOnly()
  const { screenToFlowPosition } = useReactFlow()
  const far = useStore((state) => state.transform[2] < FAR_ZOOM)
  const many = nodes.length > MANY_NODES
  const hidden = useStore((state) => many || overflows(state))
  // An empty canvas stays where it is: what is dropped first must not jump to the middle.
  const [fitView] = useState(nodes.length > 0)

  const onConnect = useCallback((connection: Connection) => connect(session, connection), [session])
  const isValid = useCallback((connection: Connection | FlowEdge) => canConnect(session, connection), [session])

  function onPointerMove({ clientX, clientY }: PointerEvent) {
    const { x, y } = screenToFlowPosition({ x: clientX, y: clientY }, { snapToGrid: false })
    presence.tell({ cursor: { x: Math.round(x), y: Math.round(y) } })
  }

  function onDrop(event: DragEvent) {
    const spec = nodeTypes.get(event.dataTransfer.getData(NODE_TYPE_MIME))
    if (!spec || readOnly) return
    event.preventDefault()
    const { x, y } = screenToFlowPosition({ x: event.clientX, y: event.clientY })
    addNode(session, spec, { x: x - 110, y: y - 28 })
  }

  return (
    <ReactFlow<FlowNode, FlowEdge>
      nodes={nodes}
      edges={edges}
      nodeTypes={NODE_TYPES}
      edgeTypes={EDGE_TYPES}
      onNodesChange={view.onNodesChange}
      onEdgesChange={view.onEdgesChange}
      onConnect={onConnect}
      isValidConnection={isValid}
      onNodeClick={(_, node) => onClickNode?.(node.id)}
      onNodeDoubleClick={(_, node) => onOpenNode?.(node.id)}
      onPointerMove={onPointerMove}
      onPointerLeave={() => presence.tell({ cursor: null })}
      onDragOver={(event) => !readOnly && event.dataTransfer.types.includes(NODE_TYPE_MIME) && event.preventDefault()}
      onDrop={onDrop}
      nodesDraggable={!readOnly}
      nodesConnectable={!readOnly}
      ariaLabelConfig={readOnly ? READ_ONLY_LABELS : LABELS}
      deleteKeyCode={null}
      selectionOnDrag
      selectionMode={SelectionMode.Partial}
      panOnScroll
      panOnDrag={PAN_BUTTONS}
      zoomOnDoubleClick={false}
      minZoom={many ? MANY_ZOOM_MIN : ZOOM_MIN}
      maxZoom={2.5}
      snapToGrid
      snapGrid={[8, 8]}
      fitView={fitView}
      fitViewOptions={FIT}
      // A click on the pane takes the focus from wherever it was.
      tabIndex={-1}
      className={clsx('outline-none', far && 'is-far')}
      connectionRadius={28}
      onlyRenderVisibleElements={nodes.length > RENDER_ALL_MAX}
      data-testid="canvas"
    >
      <Background variant={BackgroundVariant.Dots} gap={24} size={1.4} />
      {hidden && <CanvasMap />}
      <Cursors />
      {children}
    </ReactFlow>
  )
}
