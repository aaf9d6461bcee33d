import { useNavigate } from '@tanstack/react-router'
import { type ChangeEvent, type ReactNode, useRef, useState } from 'react'
import { Problem } from '../../api/problem'
import { Button } from '../../components/button'
import { notify, notifyError } from '../../components/toast'
import { ImportProblems } from './import-problems'
import { useImportWorkflow } from './use-mutations'

export function ImportButton({
  workspace,
  size = 'md',
  children,
}: {
  workspace: string
  size?: 'md' | 'lg'
  children: ReactNode
}) {
  const input = useRef<HTMLInputElement>(null)
  const navigate = useNavigate()
  const [refused, setRefused] = useState<{ file: string; problem: Problem }>()
  const { mutate, isPending } = useImportWorkflow(notifyUnlessListed)

  async function chosen(event: ChangeEvent<HTMLInputElement>) {
    const file = event.target.files?.[0]
    event.target.value = ''
    if (!file) return
    const content = await readJson(file)
    if (content === undefined) {
      notify({ kind: 'error', text: `${file.name} is not a JSON file`, detail: 'Choose a .wflow.json file.' })
      return
    }
    mutate(
      { workspace, file: content },
      {
        onSuccess: ({ id }) => void navigate({ to: '/workflows/$workflow', params: { workflow: id } }),
        onError: (problem) => isList(problem) && setRefused({ file: file.name, problem }),
      },
    )
  }

  return (
    <>
      <input
        ref={input}
        type="file"
        accept=".json,application/json"
        hidden
        onChange={(event) => void chosen(event)}
        data-testid="import-file"
      />
      <Button size={size} disabled={isPending} onClick={() => input.current?.click()} data-testid="import-workflow">
        {children}
      </Button>
      {refused && <ImportProblems {...refused} onClose={() => setRefused(undefined)} />}
    </>
  )
}

function notifyUnlessListed(error: Error): void {
  if (!isList(error)) notifyError(error)
}

function isList(error: Error): error is Problem {
  return error instanceof Problem && error.hasFields
}

async function readJson(file: File): Promise<unknown> {
  try {
    return JSON.parse(await file.text())
  } catch {
    return undefined
  }
}
