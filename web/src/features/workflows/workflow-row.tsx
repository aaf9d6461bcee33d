import { Link } from '@tanstack/react-router'
import { CloudOff, Download, Ellipsis, Pencil, Trash2, Workflow as WorkflowIcon } from 'lucide-react'
import type { Workflow } from '../../api/types'
import { IconButton } from '../../components/button'
import { formatAgo, formatDateTime } from '../../components/format'
import { Menu, MenuItem, MenuSeparator } from '../../components/menu'
import { downloadWorkflow } from './download'
import type { WorkflowAction } from './workflow-question'

export function WorkflowRow({
  workflow,
  unsaved,
  mayWrite,
  onAction,
}: {
  workflow: Workflow
  /** This device has changes of it that the server has not. */
  unsaved: boolean
  mayWrite: boolean
  onAction: (action: WorkflowAction) => void
}) {
  return (
    <li className="group relative" data-testid={`workflow-${workflow.id}`}>
      <Link
        to="/workflows/$workflow"
        params={{ workflow: workflow.id }}
        className="flex items-center gap-3 rounded-lg py-2 pr-11 pl-2.5 transition-colors hover:bg-hover"
        data-testid="workflow-link"
      >
        <span className="flex size-8 shrink-0 items-center justify-center rounded-md border border-line bg-surface text-accent-text">
          <WorkflowIcon className="size-4" aria-hidden />
        </span>
        <span className="min-w-0 flex-1">
          <span className="block truncate font-medium">{workflow.name}</span>
          <span className="block truncate text-muted text-xs">{workflow.description || 'No description'}</span>
        </span>
        {unsaved && (
          <span
            className="flex items-center gap-1 text-2xs text-warn"
            title="Open it with a connection, and they are saved."
            data-testid="workflow-unsaved"
          >
            <CloudOff className="size-3" aria-hidden />
            <span className="max-md:sr-only">Changes on this device only</span>
          </span>
        )}
        {workflow.tags.map((tag) => (
          <span key={tag} className="rounded-full border border-line px-2 py-0.5 text-2xs text-muted max-lg:hidden">
            {tag}
          </span>
        ))}
        <time className="shrink-0 text-right text-faint text-xs sm:w-28" title={formatDateTime(workflow.updated_at)}>
          {formatAgo(workflow.updated_at)}
        </time>
      </Link>
      <div className="absolute top-2.5 right-2">
        <Menu
          trigger={
            <IconButton label={`Actions for ${workflow.name}`} data-testid="workflow-actions">
              <Ellipsis className="size-4" />
            </IconButton>
          }
        >
          {mayWrite && (
            <MenuItem icon={<Pencil />} onSelect={() => onAction('rename')} testId="workflow-rename">
              Rename
            </MenuItem>
          )}
          <MenuItem icon={<Download />} onSelect={() => void downloadWorkflow(workflow.id)} testId="workflow-export">
            Export
          </MenuItem>
          {mayWrite && (
            <>
              <MenuSeparator />
              <MenuItem danger icon={<Trash2 />} onSelect={() => onAction('delete')} testId="workflow-delete">
                Delete
              </MenuItem>
            </>
          )}
        </Menu>
      </div>
    </li>
  )
}
