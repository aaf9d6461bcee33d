import { ArrowDown, ArrowUp, Plus, X } from 'lucide-react'
import { initialValue, type JsonSchema } from '../../../../canvas/schema'
import { Button, IconButton } from '../../../../components/button'
import { Control } from './control'
import type { ControlProps } from './types'

/** A list: items are added, removed, moved. */
export function ListControl({ value, onChange, node, name, items, id, schema }: ControlProps & { items: JsonSchema }) {
  const list: unknown[] = Array.isArray(value) ? value : Array.isArray(schema.default) ? schema.default : []
  const replace = (index: number, item: unknown) => onChange(list.map((old, at) => (at === index ? item : old)))
  const remove = (index: number) => onChange(list.filter((_, at) => at !== index))
  const swap = (a: number, b: number) =>
    onChange(list.map((item, at) => (at === a ? list[b] : at === b ? list[a] : item)))

  return (
    <div className="flex flex-col gap-1.5" data-testid={`list-${name}`}>
      {list.map((item, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: items of plain JSON have no identity but their place
        <div key={index} className="flex items-start gap-1 rounded-md border border-line bg-panel p-1.5">
          <div className="min-w-0 flex-1">
            <Control
              id={`${id}-${index}`}
              aria-describedby={undefined}
              aria-invalid={false}
              name={`${name}-${index}`}
              schema={items}
              value={item}
              node={node}
              onChange={(next) => replace(index, next ?? initialValue(items))}
            />
          </div>
          <div className="flex flex-col">
            <IconButton label="Remove" className="size-5" onClick={() => remove(index)}>
              <X className="size-3" />
            </IconButton>
            {index > 0 && (
              <IconButton label="Move up" className="size-5" onClick={() => swap(index, index - 1)}>
                <ArrowUp className="size-3" />
              </IconButton>
            )}
            {index === 0 && list.length > 1 && (
              <IconButton label="Move down" className="size-5" onClick={() => swap(index, index + 1)}>
                <ArrowDown className="size-3" />
              </IconButton>
            )}
          </div>
        </div>
      ))}
      <Button
        id={id}
        variant="ghost"
        className="self-start"
        onClick={() => onChange([...list, initialValue(items)])}
        data-testid={`add-${name}`}
      >
        <Plus className="size-3.5" aria-hidden />
        Add
      </Button>
    </div>
  )
}
