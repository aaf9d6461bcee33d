import { workflows } from '../../api/operations'
import { download } from '../../components/download'
import { notifyError } from '../../components/toast'

/** Saves a workflow as a `.wflow.json` file. */
export async function downloadWorkflow(id: string): Promise<void> {
  try {
    const file = await workflows.export(id)
    const json = new Blob([JSON.stringify(file, null, 2)], { type: 'application/json' })
    download(json, `${fileName(String(file.name ?? 'workflow'))}.wflow.json`)
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
