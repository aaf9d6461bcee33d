// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Workflow } from '../../api/types'
import { CanvasSession } from '../../canvas/session'
import { Editor } from './editor'

/** Each part is its name here, and one of them fails. */
const parts = vi.hoisted(() => ({ broken: undefined as string | undefined }))
const part = vi.hoisted(() => (name: string) => () => {
  if (name === parts.broken) throw new Error('this value is no text')
  return <p>{name}</p>
})

let session: CanvasSession
vi.mock('./use-session', () => ({ useHost: () => ({}), useSession: () => session }))
vi.mock('./use-live', () => ({ useLive: () => undefined }))
vi.mock('./keyboard/use-shortcuts', () => ({ useShortcuts: () => undefined }))
vi.mock('./properties/code-editor', () => ({}))
vi.mock('./toolbar/toolbar', () => ({ Toolbar: part('toolbar') }))
vi.mock('./ended', () => ({ Ended: part('ended') }))
vi.mock('./read-only', () => ({ ReadOnly: part('read-only') }))
vi.mock('./palette', () => ({ Palette: part('palette') }))
vi.mock('../../canvas/canvas', () => ({ Canvas: part('canvas') }))
vi.mock('./bottom/bottom-panel', () => ({ BottomPanel: part('bottom') }))
vi.mock('./properties/properties-panel', () => ({ PropertiesPanel: part('properties') }))
vi.mock('./command-palette', () => ({ CommandPalette: part('commands') }))

const PARTS = ['toolbar', 'ended', 'read-only', 'palette', 'canvas', 'bottom', 'properties', 'commands']

beforeEach(() => {
  session = new CanvasSession({
    nodeTypes: [],
    me: { id: 'me', name: 'Me', color: '#000000' },
    address: () => new Promise(() => undefined),
  })
  session.provider.state.setState({ loaded: true })
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
})

afterEach(() => {
  parts.broken = undefined
  cleanup()
  session.destroy()
})

test.each(PARTS)('when the part “%s” fails, the others live, and it can be tried again', (name) => {
  parts.broken = name
  render(<Editor workflow={{ id: 'w' } as Workflow} nodeTypes={[]} />)
  expect(screen.getByTestId('part-failed').textContent).toContain('this value is no text')
  // The notices are one part.
  const others = PARTS.filter((other) => other !== name && !(isNotice(other) && isNotice(name)))
  for (const other of others) expect(screen.getByText(other)).toBeDefined()

  parts.broken = undefined
  fireEvent.click(screen.getByText('Try again'))
  for (const every of PARTS) expect(screen.getByText(every)).toBeDefined()
})

function isNotice(name: string): boolean {
  return name === 'ended' || name === 'read-only'
}
