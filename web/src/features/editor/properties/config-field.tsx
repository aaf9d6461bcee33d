import { lazy, Suspense } from 'react'
import { useCanvas, useColumns, useConfigValue, useNodeType } from '../../../canvas/hooks'
import { configSchema, hints, type JsonSchema } from '../../../canvas/schema'
import { Control } from './controls/control'
import { FieldFrame } from './field-frame'

const SharedCode = lazy(() => import('./code-editor').then((module) => ({ default: module.SharedCode })))

interface ConfigFieldProps {
  node: { id: string; nodeType: string }
  /** The key in the node's config. */
  name: string
  schema: JsonSchema
}

/** One top-level key of a step's config: read from the document, written to it on every change. */
export function ConfigField({ node, name, schema }: ConfigFieldProps) {
  const { document } = useCanvas()
  const value = useConfigValue(node.id, name)
  const spec = useNodeType(node.nodeType)
  const { widget, language, port } = hints(schema)
  const columns = useColumns(node, port)
  const isRequired = spec !== undefined && configSchema(spec).required?.includes(name)

  return (
    <FieldFrame
      node={node.id}
      pointer={`/${name}`}
      label={schema.title ?? name}
      about={schema.description}
      required={isRequired ?? false}
    >
      {(ids) =>
        widget === 'code' ? (
          <Suspense fallback={<div className="h-24 rounded-md border border-line" />}>
            <SharedCode {...ids} node={node.id} name={name} language={language} columns={columns} />
          </Suspense>
        ) : (
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
    </FieldFrame>
  )
}
