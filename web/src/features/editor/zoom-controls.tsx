import { Panel, useReactFlow, useStore } from '@xyflow/react'
import { Maximize, Minus, Plus } from 'lucide-react'
import { IconButton } from '../../components/button'
import { hintOf } from './keyboard/shortcuts'
import { FIT_VIEW } from './viewport'

export function ZoomControls() {
  const { zoomIn, zoomOut, fitView } = useReactFlow()
  const percent = useStore((state) => Math.round(state.transform[2] * 100))
  return (
    <Panel
      position="bottom-left"
      className="flex items-center rounded-lg border border-line bg-panel p-0.5 shadow-card"
    >
      <IconButton label="Zoom out" shortcut={hintOf('zoom-out')} onClick={() => void zoomOut({ duration: 150 })}>
        <Minus className="size-4" />
      </IconButton>
      <span className="w-10 text-center text-muted text-xs tabular-nums">{percent}%</span>
      <IconButton label="Zoom in" shortcut={hintOf('zoom-in')} onClick={() => void zoomIn({ duration: 150 })}>
        <Plus className="size-4" />
      </IconButton>
      <IconButton label="Fit" shortcut={hintOf('fit')} onClick={() => void fitView(FIT_VIEW)} data-testid="fit">
        <Maximize className="size-4" />
      </IconButton>
    </Panel>
  )
}
