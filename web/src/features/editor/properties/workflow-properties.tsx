import { useState } from 'react'
import type { Workflow } from '../../../api/types'
import { Field, Input, Textarea } from '../../../components/field'
import { useUpdateWorkflow } from '../../workflows/use-mutations'
import { ParametersField } from './parameters'

export function WorkflowProperties({ workflow }: { workflow: Workflow }) {
  const { mutate } = useUpdateWorkflow()
  return (
    <div className="flex flex-col gap-3.5 p-3.5">
      <h2 className="font-semibold">Workflow</h2>
      <Draft
        key={`description ${workflow.description}`}
        initial={workflow.description}
        onCommit={(description) => mutate({ id: workflow.id, description })}
      >
        {(draft) => (
          <Field label="Description">
            {(ids) => (
              <Textarea
                {...ids}
                {...draft}
                rows={4}
                placeholder="What it does, and for whom"
                data-testid="workflow-description"
              />
            )}
          </Field>
        )}
      </Draft>
      <Draft
        key={`tags ${workflow.tags.join()}`}
        initial={workflow.tags.join(', ')}
        onCommit={(text) => mutate({ id: workflow.id, tags: tagsOf(text) })}
      >
        {(draft) => (
          <Field label="Tags" hint="Separated by commas">
            {(ids) => <Input {...ids} {...draft} />}
          </Field>
        )}
      </Draft>
      <ParametersField value={workflow.parameters} onCommit={(parameters) => mutate({ id: workflow.id, parameters })} />
      <p className="text-faint text-xs">Select a step on the canvas to configure it.</p>
    </div>
  )
}

interface DraftProps {
  value: string
  onChange: (event: { target: { value: string } }) => void
  onBlur: () => void
}

/** Text that is written when its field is left. */
function Draft({
  initial,
  onCommit,
  children,
}: {
  initial: string
  onCommit: (text: string) => void
  children: (draft: DraftProps) => React.ReactNode
}) {
  const [value, setValue] = useState(initial)
  return children({
    value,
    onChange: (event) => setValue(event.target.value),
    onBlur: () => value !== initial && onCommit(value),
  })
}

function tagsOf(text: string): string[] {
  return [
    ...new Set(
      text
        .split(',')
        .map((tag) => tag.trim())
        .filter(Boolean),
    ),
  ]
}
