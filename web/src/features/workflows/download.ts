import { workflows } from '../../api/operations'
import { notifyError } from '../../components/toast'

/** Saves a workflow as a `.wflow.json` file. */
export async function downloadWorkflow(id: string): Promise<void> {
  try {
    const file = await workflows.export(id)
    const address = URL.createObjectURL(new Blob([JSON.stringify(file, null, 2)], { type: 'application/json' }))
    const link = document.createElement('a')
    link.href = address
    link.download = `${fileName(String(file.name ?? 'workflow'))}.wflow.json`
    link.click()
    URL.revokeObjectURL(address)
  } catch (error) {
    notifyError(error)
  }
}

function fileName(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, '-')
      .replace(/^-|-$/g, '') || 'workflow'
  )
}
