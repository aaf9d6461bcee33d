// @vitest-environment jsdom
import { EditorView } from '@codemirror/view'
import { act, cleanup, render, screen } from '@testing-library/react'
import { StrictMode } from 'react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { CanvasContext } from '../../../canvas/hooks'
import { CanvasSession } from '../../../canvas/session'
import { Expression, SharedCode } from './code-editor'

let session: CanvasSession

beforeEach(() => {
  // jsdom lays nothing out.
  Range.prototype.getClientRects = () => [] as unknown as DOMRectList
  session = new CanvasSession({
    nodeTypes: [],
    me: { id: 'me', name: 'Me', color: '#000000' },
    address: () => new Promise(() => undefined),
  })
  session.provider.state.setState({ mayEdit: true })
  const data = { label: 'q', nodeType: 'sql', config: { query: 'SELECT 1' } }
  session.document.insert({
    nodes: [{ id: 'q', type: 'custom-node', position: { x: 0, y: 0 }, data }],
    edges: [],
  })
})

afterEach(() => {
  cleanup()
  session.destroy()
})

const IDS = { id: 'c', 'aria-describedby': undefined, 'aria-invalid': false }

function show(): void {
  render(
    <StrictMode>
      <CanvasContext value={session}>
        <SharedCode {...IDS} node="q" name="query" language="sql" columns={[]} />
        <input aria-label="elsewhere" />
      </CanvasContext>
    </StrictMode>,
  )
}

function editor(testId = 'code-query'): EditorView {
  const content = screen.getByTestId(testId).querySelector<HTMLElement>('.cm-content')
  const view = content && EditorView.findFromDOM(content)
  if (!view) throw new Error('no text editor is shown')
  return view
}

const shown = () => editor().state.doc.toString()
const focus = () => act(() => editor().contentDOM.focus())
const stored = () => session.document.node('q')?.data.config.query

/** Types as a key does: a text that may only be read takes nothing. */
function type(text: string): void {
  const { state } = editor()
  if (state.readOnly) return
  act(() => editor().dispatch(state.replaceSelection(text)))
}

/** Another person, or the server, puts a value there. */
function replace(value: unknown): void {
  const config = session.document.data('q')?.get('config') as Y.Map<unknown>
  act(() => void config.set('query', value))
}

test('plain text takes keys as soon as somebody is in it', () => {
  show()
  expect(session.document.sharedText('q', 'query')).toBeUndefined()
  focus()
  act(() => editor().dispatch({ selection: { anchor: 8 } }))
  type(' LIMIT 1')
  expect(stored()).toBe('SELECT 1 LIMIT 1')
  expect(session.document.sharedText('q', 'query')).toBeDefined()
})

test('the caret stays where it is when plain text becomes shared', () => {
  show()
  act(() => {
    editor().contentDOM.focus()
    editor().dispatch({ selection: { anchor: 6 } })
  })
  expect(editor().hasFocus).toBe(true)
  type(' 0,')
  expect(stored()).toBe('SELECT 0, 1')
})

test('plain text that another person replaces is shown anew', () => {
  show()
  replace('SELECT 2')
  expect(shown()).toBe('SELECT 2')
})

test('text that becomes plain while somebody is in it still takes keys', () => {
  show()
  focus()
  replace('SELECT 2')
  expect(shown()).toBe('SELECT 2')
  act(() => editor().dispatch({ selection: { anchor: 8 } }))
  type('0')
  expect(stored()).toBe('SELECT 20')
})

test('a shared text that says the same as the one before takes keys', () => {
  show()
  focus()
  const fresh = new Y.Text('SELECT 1')
  replace(fresh)
  type('-- ')
  expect(fresh.toString()).toBe('-- SELECT 1')
})

test('plain text takes keys once editing is allowed, without another click', () => {
  session.provider.state.setState({ mayEdit: false })
  show()
  focus()
  expect(editor().state.readOnly).toBe(true)
  act(() => session.provider.state.setState({ mayEdit: true }))
  type('-- ')
  expect(stored()).toBe('-- SELECT 1')
})

test('a text that is replaced takes no focus from elsewhere', () => {
  show()
  focus()
  const elsewhere = screen.getByLabelText('elsewhere')
  act(() => elsewhere.focus())
  replace(new Y.Text('SELECT 2'))
  expect(document.activeElement).toBe(elsewhere)
})

test('an expression follows its value, and tells only what is typed', () => {
  const typed = vi.fn()
  const expression = (value: string) => (
    <CanvasContext value={session}>
      <Expression {...IDS} name="if" value={value} language="sql" columns={[]} onChange={typed} />
    </CanvasContext>
  )
  const { rerender } = render(expression('a > 1'))
  rerender(expression('a > 2'))
  const view = editor('expression-if')
  expect(view.state.doc.toString()).toBe('a > 2')
  expect(typed).not.toHaveBeenCalled()
  act(() => view.dispatch({ changes: { from: 5, insert: '0' } }))
  expect(typed.mock.calls).toEqual([['a > 20']])
})
