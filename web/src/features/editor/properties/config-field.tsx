import { lazy, Suspense } from 'react'
import { useCanvas, useColumns, useConfigValue, useNodeType } from '../../../canvas/hooks'
import { configSchema, hints, type JsonSchema } from '../../../canvas/schema'
import { Control } from './controls/control'
import { type ControlIds, FieldFrame } from './field-frame'

const SharedCode = lazy(() => import('./code-editor').then((module) => ({ default: module.SharedCode })))

interface ConfigFieldProps {
  node: { id: string; nodeType: string }
  /** The key in the node's config. */
  name: string
  schema: JsonSchema
}

/** One top-level key of a step's config: read from the document, written to it on every change. */
export function ConfigField({ node, name, schema }: ConfigFieldProps) {
  const spec = useNodeType(node.nodeType)
  const isRequired = spec !== undefined && configSchema(spec).required?.includes(name)
  const Value = hints(schema).widget === 'code' ? CodeValue : PlainValue

  return (
    <FieldFrame
      node={node.id}
      pointer={`/${name}`}
      label={schema.title ?? name}
      about={schema.description}
      required={isRequired ?? false}
    >
      {(ids) => <Value {...ids} node={node} name={name} schema={schema} />}
    </FieldFrame>
  )
}

function PlainValue({ node, name, schema, ...ids }: ConfigFieldProps & ControlIds) {
  const { document } = useCanvas()
  const value = useConfigValue(node.id, name)
  return (
    <Control
      {...ids}
      name={name}
      schema={schema}
      value={value}
      node={node}
      onChange={(next) => document.setConfig(node.id, name, next)}
    />
  )
}

/** A shared text is not read as a value: it may be long, and changes with every key. */
function CodeValue({ node, name, schema, ...ids }: ConfigFieldProps & ControlIds) {
  const { language, port } = hints(schema)
  const columns = useColumns(node, port)
  return (
    <Suspense fallback={<div className="h-24 rounded-md border border-line" />}>
      <SharedCode {...ids} node={node.id} name={name} language={language} columns={columns} />
    </Suspense>
  )
}
