import { useId } from 'react'
import type { Shape } from '../../../../canvas/schema'
import { Control } from './control'
import type { ControlProps } from './types'

type ObjectShape = Extract<Shape, { kind: 'object' }>

/** The fields of an object, one below the other. */
export function ObjectControl({ value, onChange, node, name, shape }: ControlProps & { shape: ObjectShape }) {
  const prefix = useId()
  const object = isObject(value) ? value : {}
  const set = (key: string, next: unknown) => {
    const { [key]: _, ...others } = object
    onChange(next === undefined ? others : { ...object, [key]: next })
  }
  return (
    <div className="grid min-w-0 grid-cols-[auto_minmax(0,1fr)] items-center gap-x-2 gap-y-1.5">
      {Object.entries(shape.properties).map(([key, schema]) => (
        <div key={key} className="col-span-2 grid grid-cols-subgrid items-center">
          <label htmlFor={`${prefix}-${key}`} className="text-2xs text-muted" title={schema.description}>
            {schema.title ?? key}
          </label>
          <Control
            id={`${prefix}-${key}`}
            aria-describedby={undefined}
            aria-invalid={false}
            name={`${name}-${key}`}
            schema={schema}
            value={object[key]}
            node={node}
            onChange={(next) => set(key, next)}
          />
        </div>
      ))}
    </div>
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
