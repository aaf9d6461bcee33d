import type { Problem } from '../../api/problem'
import { Button } from '../../components/button'
import { Modal, ModalTitle } from '../../components/dialog'
import { Prose } from '../../components/prose'

/** All that is wrong with a file that was to be imported: where, what, and what to do about it. */
export function ImportProblems({ file, problem, onClose }: { file: string; problem: Problem; onClose: () => void }) {
  return (
    <Modal open wide onClose={onClose} testId="import-problems">
      <div className="flex flex-col gap-3">
        <ModalTitle>{file} cannot be imported</ModalTitle>
        <p className="text-muted text-sm">
          <Prose text={problem.message} />
        </p>
        <ul className="flex max-h-96 flex-col gap-2 overflow-y-auto">
          {problem.fields.map(({ pointer, detail, solution }) => (
            <li key={`${pointer} ${detail}`} data-testid="import-problem" className="rounded-md border border-line p-2">
              <p className="break-all font-mono text-faint text-xs">{placeIn(pointer)}</p>
              <p className="text-sm">
                <Prose text={detail} />
              </p>
              {solution && (
                <p className="text-muted text-xs">
                  <Prose text={solution} />
                </p>
              )}
            </li>
          ))}
        </ul>
        <div className="flex justify-end">
          <Button onClick={onClose}>Close</Button>
        </div>
      </div>
    </Modal>
  )
}

/** A place in the request as a place in the file. */
function placeIn(pointer: string): string {
  return pointer.replace(/^\/file/, '') || 'The file'
}
