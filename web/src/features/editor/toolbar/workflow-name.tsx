import { useEffect, useState } from 'react'
import type { Workflow } from '../../../api/types'
import { useReadOnly } from '../../../canvas/hooks'
import { useUpdateWorkflow } from '../../workflows/use-mutations'

export function WorkflowName({ workflow }: { workflow: Workflow }) {
  const [draft, setDraft] = useState<string>()
  const { mutate } = useUpdateWorkflow()
  const readOnly = useReadOnly()

  useEffect(() => {
    document.title = `${workflow.name} · Troupe`
  }, [workflow.name])

  function commit() {
    const name = draft?.trim()
    if (name && name !== workflow.name && !readOnly)
      mutate({ id: workflow.id, name }, { onSettled: () => setDraft(undefined) })
    else setDraft(undefined)
  }

  return (
    <input
      aria-label="Workflow name"
      data-testid="workflow-name"
      value={draft ?? workflow.name}
      maxLength={200}
      readOnly={readOnly}
      spellCheck={false}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === 'Enter') event.currentTarget.blur()
        if (event.key === 'Escape') setDraft(undefined)
      }}
      className="h-7 min-w-16 max-w-80 shrink truncate rounded-md border border-transparent bg-transparent px-1.5 font-semibold text-sm [field-sizing:content] hover:border-line focus:border-accent focus:bg-panel focus:outline-none"
    />
  )
}
