import clsx from 'clsx'
import { Ellipsis, Folder, Pencil, Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useStore } from 'zustand'
import { session } from '../../api/session'
import type { Workspace } from '../../api/types'
import { Avatar } from '../../components/avatar'
import { IconButton } from '../../components/button'
import { Dialog } from '../../components/dialog'
import { Logo } from '../../components/logo'
import { Menu, MenuItem, MenuSeparator } from '../../components/menu'
import { ThemeMenu } from '../../components/theme-menu'
import { PeopleButton } from '../people/people-button'
import { useMay } from '../use-may'
import { NameDialog } from './name-dialog'
import { SignOut } from './sign-out'
import { useCreateWorkspace, useDeleteWorkspace, useRenameWorkspace } from './use-mutations'

type Question = { kind: 'create' } | { kind: 'rename' | 'delete'; workspace: Workspace }

interface SidebarProps {
  workspaces: readonly Workspace[]
  chosen: string | undefined
  onChoose: (id: string) => void
}

export function Sidebar({ workspaces, chosen, onChoose }: SidebarProps) {
  const [question, setQuestion] = useState<Question>()
  const mayWrite = useMay('write')
  return (
    <nav
      aria-label="Workspaces"
      className="flex shrink-0 bg-surface max-md:flex-wrap max-md:items-center max-md:border-b md:w-60 md:flex-col md:border-r"
    >
      <div className="flex h-12 items-center gap-2 px-3.5 max-md:flex-1">
        <Logo size={22} />
        <span className="font-semibold text-base tracking-tight">Troupe</span>
      </div>
      <div className="flex items-center justify-between px-3.5 max-md:order-4 max-md:px-2 md:pt-2 md:pb-1">
        <h2 className="font-medium text-faint text-xs max-md:sr-only">Workspaces</h2>
        {mayWrite && (
          <IconButton
            label="New workspace"
            className="size-6"
            onClick={() => setQuestion({ kind: 'create' })}
            data-testid="new-workspace"
          >
            <Plus className="size-3.5" />
          </IconButton>
        )}
      </div>
      <ul
        className="scroll-thin flex-1 max-md:order-3 max-md:flex max-md:basis-[calc(100%-3.5rem)] max-md:gap-1 max-md:pl-2 max-md:overflow-x-auto max-md:py-1.5 max-md:pr-2 md:overflow-y-auto md:px-2"
        data-testid="workspaces"
      >
        {workspaces.map((workspace) => (
          <li key={workspace.id} className="group relative shrink-0">
            <button
              type="button"
              aria-current={workspace.id === chosen ? 'page' : undefined}
              data-testid={`workspace-${workspace.id}`}
              onClick={() => onChoose(workspace.id)}
              className={clsx(
                'flex h-8 w-full max-w-60 items-center gap-2 rounded-md pr-8 pl-2 text-left transition-colors',
                workspace.id === chosen
                  ? 'bg-hover font-medium text-text'
                  : 'text-muted hover:bg-hover hover:text-text',
              )}
            >
              <Folder className="size-4 shrink-0 text-faint" aria-hidden />
              <span className="truncate">{workspace.name}</span>
            </button>
            {mayWrite && (
              <div className="absolute top-1 right-1 focus-within:opacity-100 group-hover:opacity-100 md:opacity-0">
                <Menu
                  trigger={
                    <IconButton label={`Actions for ${workspace.name}`} className="size-6">
                      <Ellipsis className="size-3.5" />
                    </IconButton>
                  }
                >
                  <MenuItem icon={<Pencil />} onSelect={() => setQuestion({ kind: 'rename', workspace })}>
                    Rename
                  </MenuItem>
                  <MenuSeparator />
                  <MenuItem danger icon={<Trash2 />} onSelect={() => setQuestion({ kind: 'delete', workspace })}>
                    Delete
                  </MenuItem>
                </Menu>
              </div>
            )}
          </li>
        ))}
      </ul>
      <Account />
      {question && <WorkspaceQuestion question={question} onClose={() => setQuestion(undefined)} onChoose={onChoose} />}
    </nav>
  )
}

function Account() {
  const state = useStore(session)
  const mayAdmin = useMay('admin')
  if (state.kind !== 'signed-in') return null
  return (
    <div className="flex min-w-0 items-center gap-2 p-3 max-md:py-0 md:border-t">
      <Avatar name={state.user.name} color={state.user.color} size={26} />
      <div className="min-w-0 flex-1 max-sm:sr-only">
        <p className="truncate font-medium text-xs" data-testid="account-name">
          {state.user.name}
        </p>
        <p className="truncate text-2xs text-faint">{state.tenant.name}</p>
      </div>
      {mayAdmin && <PeopleButton me={state.user.id} />}
      <ThemeMenu />
      <SignOut user={state.user.id} />
    </div>
  )
}

function WorkspaceQuestion({
  question,
  onClose,
  onChoose,
}: {
  question: Question
  onClose: () => void
  onChoose: (id: string) => void
}) {
  const create = useCreateWorkspace()
  const rename = useRenameWorkspace()
  const remove = useDeleteWorkspace()
  if (question.kind === 'create') {
    const submit = (name: string) =>
      create.mutate(name, {
        onSuccess: (workspace) => {
          onClose()
          onChoose(workspace.id)
        },
      })
    return (
      <NameDialog title="New workspace" action="Create" busy={create.isPending} onSubmit={submit} onClose={onClose} />
    )
  }
  const { workspace } = question
  if (question.kind === 'rename') {
    const submit = (name: string) => rename.mutate({ id: workspace.id, name }, { onSuccess: onClose })
    return (
      <NameDialog
        title="Rename workspace"
        action="Rename"
        initial={workspace.name}
        busy={rename.isPending}
        onSubmit={submit}
        onClose={onClose}
      />
    )
  }
  return (
    <Dialog
      open
      danger
      title={`Delete “${workspace.name}”?`}
      description="Its workflows go with it."
      action="Delete workspace"
      busy={remove.isPending}
      onSubmit={() => remove.mutate(workspace.id, { onSuccess: onClose })}
      onClose={onClose}
    />
  )
}
