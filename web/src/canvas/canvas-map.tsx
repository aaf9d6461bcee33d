/** A small map of the canvas: each step a spot of its colour, drawn in one pass, and a frame around what is in view. */
import { Panel, type ReactFlowState, useReactFlow, useStoreApi } from '@xyflow/react'
import { type PointerEvent, useEffect, useRef } from 'react'
import { useCanvas, useOverlay } from './hooks'
import { type Box, boxAround, boxOf, MapScale, viewBox } from './map-scale'
import type { FlowNode } from './view'

const SIZE = { width: 148, height: 96 }
/** Of ten thousand steps each is smaller than that. */
const SPOT_MIN = 1
/** The map is drawn anew no sooner: it is for finding one's way. */
const REDRAW_MS = 150
const ZOOM_PER_PIXEL = 0.002
const UNKNOWN_COLOR = '#8b8d98'

export function CanvasMap() {
  const { view } = useCanvas()
  const nodeTypes = useOverlay((state) => state.nodeTypes)
  const flow = useStoreApi<FlowNode>()
  const { setCenter, getZoom, zoomTo } = useReactFlow()
  const surface = useRef<HTMLCanvasElement>(null)
  const frame = useRef<HTMLDivElement>(null)
  const scale = useRef<MapScale>(undefined)

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let nodes: readonly FlowNode[] = []
    /** Around all nodes, and around what was drawn. */
    let [all, drawn]: Box[] = []
    const redraw = () => {
      timer = undefined
      if (nodes !== view.nodes()) {
        nodes = view.nodes()
        all = boxesAround(nodes)
      }
      drawn = extent()
      scale.current = new MapScale(drawn, SIZE)
      const pen = surface.current && penOf(surface.current)
      if (pen) drawSpots(pen, scale.current, nodes, (type) => nodeTypes.get(type)?.color ?? UNKNOWN_COLOR)
      place()
    }
    const redrawSoon = () => {
      timer ??= setTimeout(redraw, REDRAW_MS)
    }
    /** Who has left all nodes behind is on the map as well. */
    const extent = () => boxAround(inView(flow.getState()), all ? [all] : [])
    const place = () => {
      if (frame.current && scale.current) placeFrame(frame.current, scale.current.toMap(inView(flow.getState())))
    }
    const onView = ({ transform }: ReactFlowState<FlowNode>, before: ReactFlowState<FlowNode>) => {
      if (transform === before.transform) return
      place()
      if (!drawn || !isSame(drawn, extent())) redrawSoon()
    }
    redraw()
    const stop = [view.subscribe(redrawSoon), flow.subscribe(onView)]
    return () => {
      clearTimeout(timer)
      for (const each of stop) each()
    }
  }, [view, nodeTypes, flow])

  useEffect(() => {
    const element = frame.current?.parentElement
    // React listens for the wheel without a say in what it does.
    const onWheel = (event: WheelEvent) => {
      event.preventDefault()
      event.stopPropagation()
      void zoomTo(getZoom() * 2 ** (-event.deltaY * ZOOM_PER_PIXEL))
    }
    element?.addEventListener('wheel', onWheel, { passive: false })
    return () => element?.removeEventListener('wheel', onWheel)
  }, [getZoom, zoomTo])

  function go({ currentTarget, clientX, clientY, buttons }: PointerEvent<HTMLElement>) {
    if ((buttons & 1) === 0 || !scale.current) return
    const { left, top } = currentTarget.getBoundingClientRect()
    const { x, y } = scale.current.toCanvas({ x: clientX - left, y: clientY - top })
    void setCenter(x, y, { zoom: getZoom() })
  }

  return (
    <Panel position="bottom-right" className="canvas-map">
      <div
        role="img"
        aria-label="Map of the canvas"
        data-testid="canvas-map"
        className="nodrag nopan relative overflow-hidden"
        style={SIZE}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          go(event)
        }}
        onPointerMove={go}
      >
        <canvas ref={surface} className="size-full" />
        <div ref={frame} className="canvas-map-view pointer-events-none absolute top-0 left-0" />
      </div>
    </Panel>
  )
}

function boxesAround([first, ...others]: readonly FlowNode[]): Box | undefined {
  return first && boxAround(boxOf(first), others.map(boxOf))
}

function isSame(a: Box, b: Box): boolean {
  return a.left === b.left && a.top === b.top && a.right === b.right && a.bottom === b.bottom
}

function inView({ transform, width, height }: ReactFlowState<FlowNode>): Box {
  return viewBox(transform, { width, height })
}

/** For an empty surface, as fine as the screen is. */
function penOf(surface: HTMLCanvasElement): CanvasRenderingContext2D | null {
  const dots = devicePixelRatio
  surface.width = SIZE.width * dots
  surface.height = SIZE.height * dots
  const pen = surface.getContext('2d')
  pen?.scale(dots, dots)
  return pen
}

function drawSpots(
  pen: CanvasRenderingContext2D,
  scale: MapScale,
  nodes: readonly FlowNode[],
  colorOf: (nodeType: string) => string,
): void {
  for (const node of nodes) {
    const { x, y, width, height } = scale.toMap(boxOf(node))
    pen.fillStyle = colorOf(node.data.nodeType)
    pen.fillRect(x, y, Math.max(SPOT_MIN, width), Math.max(SPOT_MIN, height))
  }
}

function placeFrame({ style }: HTMLElement, { x, y, width, height }: ReturnType<MapScale['toMap']>): void {
  style.transform = `translate(${x}px, ${y}px)`
  style.width = `${width}px`
  style.height = `${height}px`
}
