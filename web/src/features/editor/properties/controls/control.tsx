import { lazy, Suspense } from 'react'
import { useColumns } from '../../../../canvas/hooks'
import { hints, isNullable, shapeOf } from '../../../../canvas/schema'
import { LiveInput, LiveTextarea } from '../../../../components/live-field'
import { Select } from '../../../../components/select'
import { Switch } from '../../../../components/switch'
import { ColumnControl, ColumnsControl } from './column-control'
import { JsonControl } from './json-control'
import { ListControl } from './list-control'
import { MapControl } from './map-control'
import { NumberControl } from './number-control'
import { ObjectControl } from './object-control'
import type { ControlProps } from './types'

const Expression = lazy(() => import('../code-editor').then((module) => ({ default: module.Expression })))

/** The value that stands for "left out" in a list of choices. */
const UNSET = '\u0000'

/** The control for a value, by its schema's widget hint or else by its shape. */
export function Control(props: ControlProps) {
  const { schema, value, onChange, name, id } = props
  const { widget } = hints(schema)
  const shape = shapeOf(schema)
  const ids = { id, 'aria-describedby': props['aria-describedby'], 'aria-invalid': props['aria-invalid'] }
  const testId = `field-${name}`

  if (widget === 'columns' && shape.kind === 'list') return <ColumnsControl {...props} />
  if (widget === 'column' && shape.kind === 'string') return <ColumnControl {...props} />
  if ((widget === 'expression' || widget === 'code') && shape.kind === 'string') return <ExpressionControl {...props} />

  switch (shape.kind) {
    case 'string': {
      const text = {
        ...ids,
        value: typeof value === 'string' ? value : '',
        placeholder: placeholderOf(props),
        onChange: (event: { target: { value: string } }) =>
          onChange(event.target.value === '' && isNullable(schema) ? undefined : event.target.value),
        'data-testid': testId,
      }
      if (widget === 'textarea') return <LiveTextarea {...text} rows={4} />
      return <LiveInput {...text} type={widget === 'secret' ? 'password' : 'text'} />
    }
    case 'number':
      return <NumberControl {...props} shape={shape} />
    case 'boolean':
      return (
        <Switch id={id} label={schema.title ?? name} checked={Boolean(value ?? schema.default)} onChange={onChange} />
      )
    case 'choice': {
      const options = isNullable(schema) ? [{ value: UNSET, label: '—' }, ...shape.choices] : shape.choices
      return (
        <Select
          id={id}
          label={schema.title ?? name}
          value={textOf(value ?? schema.default) ?? (isNullable(schema) ? UNSET : undefined)}
          options={options}
          onChange={(chosen) => onChange(chosen === UNSET ? undefined : chosen)}
        />
      )
    }
    case 'list':
      return <ListControl {...props} items={shape.items} />
    case 'object':
      return <ObjectControl {...props} shape={shape} />
    case 'map':
      return <MapControl {...props} values={shape.values} />
    case 'json':
      return <JsonControl {...props} />
  }
}

function ExpressionControl(props: ControlProps) {
  const { schema, value, onChange, node, name } = props
  const { language, port } = hints(schema)
  const columns = useColumns(node, port)
  return (
    <Suspense fallback={<div className="h-8 rounded-md border border-line" />}>
      <Expression
        id={props.id}
        aria-describedby={props['aria-describedby']}
        aria-invalid={props['aria-invalid']}
        name={name}
        value={textOf(value) ?? ''}
        language={language}
        placeholder={placeholderOf(props)}
        columns={columns}
        onChange={onChange}
      />
    </Suspense>
  )
}

function placeholderOf({ schema }: ControlProps): string | undefined {
  const example = schema.examples?.[0]
  return hints(schema).placeholder ?? textOf(schema.default) ?? textOf(example)
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
