import clsx from 'clsx'
import { useEffect, useRef } from 'react'
import { useCanvas, useNodeDiagnostics, useNodeType } from '../../../canvas/hooks'
import { iconOf, iconStyle } from '../../../canvas/icons'
import { configSchema } from '../../../canvas/schema'
import type { FlowNode } from '../../../canvas/view'
import { LiveInput, LiveTextarea } from '../../../components/live-field'
import { Prose } from '../../../components/prose'
import { Switch } from '../../../components/switch'
import { CANVAS_FIELDS } from '../keyboard/use-history'
import { useEditor, useEditorState } from '../state'
import { ConfigField } from './config-field'
import { FieldFrame } from './field-frame'
import { LastChange } from './last-change'

/** A step's name, its configuration as its type's schema has it, and notes. Every keystroke is shared. */
export function NodeProperties({ node }: { node: FlowNode }) {
  const { document } = useCanvas()
  const spec = useNodeType(node.data.nodeType)
  const unplaced = useNodeDiagnostics(node.id).filter(({ field }) => !field)
  const properties = Object.entries((spec && configSchema(spec).properties) ?? {})
  const Icon = iconOf(spec?.icon ?? '')
  const { id, data } = node

  return (
    <div className="flex flex-col" {...CANVAS_FIELDS} data-testid="node-properties" data-node={id}>
      <header className="flex items-center gap-2.5 border-b p-3.5">
        <Icon className="size-4.5 shrink-0" style={spec && { color: iconStyle(spec.color).color }} aria-hidden />
        <div className="min-w-0 flex-1">
          <h2 className="truncate font-semibold">{spec?.name ?? data.nodeType}</h2>
          <p className="text-faint text-xs">{spec?.description ?? 'This server does not know this kind of step.'}</p>
        </div>
      </header>
      <div className="flex flex-col gap-3.5 p-3.5">
        {unplaced.map(({ code, message, fix, severity }) => (
          <p
            key={code + message}
            className={clsx(
              'rounded-md px-2.5 py-1.5 text-xs',
              severity === 'error' ? 'bg-danger-soft text-danger' : 'bg-warn-soft text-warn',
            )}
          >
            <Prose text={[message, fix].filter(Boolean).join(' — ')} />
          </p>
        ))}
        <FieldFrame node={id} pointer="/label" label="Name">
          {(ids) => <LabelInput {...ids} value={data.label} onChange={(label) => document.setLabel(id, label)} />}
        </FieldFrame>
        {properties.map(([key, schema]) => (
          <ConfigField key={key} node={{ id, nodeType: data.nodeType }} name={key} schema={schema} />
        ))}
        {spec && properties.length === 0 && <p className="text-faint text-xs">This step needs no configuration.</p>}
      </div>
      <div className="flex flex-col gap-3.5 border-t p-3.5">
        <div className="flex items-center justify-between gap-3">
          <label htmlFor="node-disabled" className="font-medium text-muted text-xs">
            Disabled
          </label>
          <Switch
            id="node-disabled"
            checked={data.disabled}
            onChange={(disabled) => document.setDisabled([id], disabled)}
          />
        </div>
        <FieldFrame node={id} pointer="/notes" label="Notes">
          {(ids) => (
            <LiveTextarea
              {...ids}
              value={data.notes}
              rows={2}
              placeholder="What others should know about this step"
              onChange={(event) => document.setNotes(id, event.target.value)}
            />
          )}
        </FieldFrame>
        <LastChange node={id} />
      </div>
    </div>
  )
}

function LabelInput({ value, onChange, ...ids }: { value: string; onChange: (label: string) => void; id: string }) {
  const input = useRef<HTMLInputElement>(null)
  const { keyboard } = useEditor()
  const focus = useEditorState((state) => state.focusLabel)
  const seen = useRef(focus)
  useEffect(() => {
    if (focus === seen.current) return
    seen.current = focus
    input.current?.select()
  }, [focus])
  return (
    <LiveInput
      {...ids}
      ref={input}
      value={value}
      maxLength={200}
      onChange={(event) => onChange(event.target.value)}
      onKeyDown={(event) => {
        if (!['Enter', 'Escape'].includes(event.key)) return
        event.currentTarget.blur()
        keyboard.give('canvas')
      }}
      data-testid="field-label"
    />
  )
}
