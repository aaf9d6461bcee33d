import clsx from 'clsx'
import { type FocusEvent, type ReactNode, useId } from 'react'
import { useCanvas, useEditedBy, useNodeDiagnostics } from '../../../canvas/hooks'
import { Prose } from '../../../components/prose'

export interface ControlIds {
  id: string
  'aria-describedby': string | undefined
  'aria-invalid': boolean
}

interface FieldFrameProps {
  node: string
  /** JSON pointer, such as `/columns`. */
  pointer: string
  label: string
  about?: string | undefined
  required?: boolean
  children: (ids: ControlIds) => ReactNode
}

/** A field of a step: its label, who else is in it, what it is for and what is wrong with it. */
export function FieldFrame({ node, pointer, label, about, required, children }: FieldFrameProps) {
  const { presence } = useCanvas()
  const id = useId()
  const editors = useEditedBy(`${node}:${pointer}`)
  const problems = useNodeDiagnostics(node).filter(({ field }) => field === pointer || field?.startsWith(`${pointer}/`))
  const other = editors[0]
  const noteId = problems.length > 0 || about ? `${id}-note` : undefined

  const onFocus = () => presence.tell({ field: `${node}:${pointer}` })
  const onBlur = (event: FocusEvent<HTMLElement>) => {
    if (!event.currentTarget.contains(event.relatedTarget)) presence.tell({ field: null })
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: focus passes through here, nothing here is pressed
    <div
      className="flex flex-col gap-1"
      onFocus={onFocus}
      onBlur={onBlur}
      data-testid={`frame${pointer.replaceAll('/', '-')}`}
    >
      <div className="flex items-center justify-between gap-2">
        <label htmlFor={id} className="font-medium text-muted text-xs">
          {label}
          {required && (
            <span className="text-faint" title="Required">
              {' '}
              *
            </span>
          )}
        </label>
        {other && (
          <span
            style={{ backgroundColor: other.user.color }}
            className="truncate rounded px-1 text-2xs text-white"
            data-testid="field-editor"
          >
            {editors.map(({ user }) => user.name).join(', ')}
          </span>
        )}
      </div>
      <div className={clsx(other && 'rounded-md')} style={other && { boxShadow: `0 0 0 2px ${other.user.color}` }}>
        {children({
          id,
          'aria-describedby': noteId,
          'aria-invalid': problems.some(({ severity }) => severity === 'error'),
        })}
      </div>
      {noteId && (
        <div id={noteId} className="text-2xs">
          {problems.map(({ code, message, fix, severity, field }) => (
            <p
              key={`${code}${field}${message}`}
              className={severity === 'error' ? 'text-danger' : 'text-warn'}
              data-testid="field-problem"
            >
              <Prose text={message} />
              {fix && (
                <span className="text-muted">
                  {' '}
                  — <Prose text={fix} />
                </span>
              )}
            </p>
          ))}
          {problems.length === 0 && about && (
            <p className="text-faint">
              <Prose text={about} />
            </p>
          )}
        </div>
      )}
    </div>
  )
}
