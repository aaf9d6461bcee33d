import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Plus, Search, Upload } from 'lucide-react'
import { useDeferredValue, useState } from 'react'
import { unsavedQuery, workflowsQuery } from '../../api/queries'
import type { Workflow, Workspace } from '../../api/types'
import { Button } from '../../components/button'
import { Input } from '../../components/field'
import { Spinner } from '../../components/spinner'
import { useMay } from '../use-may'
import { ImportButton } from './import-button'
import { useNewWorkflow } from './use-new-workflow'
import { type WorkflowAction, WorkflowQuestion } from './workflow-question'
import { WorkflowRow } from './workflow-row'
import { WorkflowsEmpty } from './workflows-empty'

export function WorkflowList({ workspace }: { workspace: Workspace }) {
  const [search, setSearch] = useState('')
  const q = useDeferredValue(search.trim())
  const { data, hasNextPage, fetchNextPage, isFetchingNextPage, error } = useInfiniteQuery(
    workflowsQuery(workspace.id, q),
  )
  const { data: unsaved } = useQuery(unsavedQuery)
  const [question, setQuestion] = useState<{ action: WorkflowAction; workflow: Workflow }>()
  const { create, creating } = useNewWorkflow(workspace.id)
  const mayWrite = useMay('write')
  const workflows = data?.pages.flatMap((page) => page.items) ?? []

  return (
    <div className="flex h-full flex-col">
      <header className="flex min-h-12 shrink-0 flex-wrap items-center gap-2 border-b px-5 py-2 max-md:px-3.5">
        <h1 className="mr-auto min-w-0 truncate font-semibold text-base max-md:basis-full">{workspace.name}</h1>
        <div className="relative w-56 max-lg:w-32 max-lg:flex-1">
          <Search className="-translate-y-1/2 absolute top-1/2 left-2 size-3.5 text-faint" aria-hidden />
          <Input
            type="search"
            aria-label="Search workflows"
            placeholder="Search workflows"
            compact
            className="pl-7"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
            data-testid="workflow-search"
          />
        </div>
        {mayWrite && (
          <>
            <ImportButton workspace={workspace.id}>
              <Upload className="size-3.5" aria-hidden />
              Import
            </ImportButton>
            <Button variant="primary" onClick={create} disabled={creating} data-testid="new-workflow">
              <Plus className="size-3.5" aria-hidden />
              New workflow
            </Button>
          </>
        )}
      </header>
      {error ? (
        <p role="alert" className="p-6 text-danger">
          {error.message}
        </p>
      ) : !data ? (
        <Spinner />
      ) : workflows.length === 0 && q === '' ? (
        <WorkflowsEmpty workspace={workspace.id} mayWrite={mayWrite} onCreate={create} />
      ) : (
        <div className="scroll-thin flex-1 overflow-y-auto p-3 max-md:p-1">
          {workflows.length === 0 && <p className="p-6 text-center text-muted">No workflow is called “{q}”.</p>}
          <ul data-testid="workflows">
            {workflows.map((workflow) => (
              <WorkflowRow
                key={workflow.id}
                workflow={workflow}
                unsaved={unsaved?.has(workflow.id) ?? false}
                mayWrite={mayWrite}
                onAction={(action) => setQuestion({ action, workflow })}
              />
            ))}
          </ul>
          {hasNextPage && (
            <div className="flex justify-center p-3">
              <Button onClick={() => void fetchNextPage()} disabled={isFetchingNextPage}>
                Show more
              </Button>
            </div>
          )}
        </div>
      )}
      {question && <WorkflowQuestion {...question} onClose={() => setQuestion(undefined)} />}
    </div>
  )
}
