// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react'
import { ReactFlowProvider } from '@xyflow/react'
import { afterEach, beforeEach, expect, test } from 'vitest'
import * as Y from 'yjs'
import { CanvasContext } from '../../../canvas/hooks'
import { analysed } from '../../../canvas/overlay'
import { CanvasSession } from '../../../canvas/session'
import { ProblemsTab } from './problems-tab'

let session: CanvasSession

beforeEach(() => {
  session = new CanvasSession({
    nodeTypes: [],
    me: { id: 'me', name: 'Me', color: '#000000' },
    address: () => new Promise(() => undefined),
  })
})

afterEach(() => {
  cleanup()
  session.destroy()
})

function show() {
  render(
    <CanvasContext value={session}>
      <ReactFlowProvider>
        <ProblemsTab />
      </ReactFlowProvider>
    </CanvasContext>,
  )
}

test('[CANVAS-9] what cannot be read is listed beside what the server found, and deleted from there', () => {
  const { nodes, edges, notes } = session.document
  const position = { x: 0, y: 0 }
  nodes.set('good', new Y.Map<unknown>(Object.entries({ position, data: new Y.Map([['nodeType', 'limit']]) })))
  nodes.set('bad', 'x')
  edges.set('loose', new Y.Map())
  notes.set('scribble', 7)
  const found = { severity: 'error' as const, code: 'unconnected', message: 'no input', node: 'good' }
  const told = { good: { diagnostics: [found], schemas: {} } }
  session.overlay.setState((state) => analysed({ nodes: told, edges: {} }, state))
  show()
  expect(screen.getAllByTestId('problem').map(({ dataset }) => dataset.code)).toEqual([
    'unreadable',
    'unreadable',
    'unreadable',
    'unconnected',
  ])
  expect(screen.getByText(/It is a text, not a step/)).toBeDefined()
  expect(session.overlay.getState().byNode.bad).toHaveLength(1)

  for (let left = 3; left > 0; left--) {
    const [first] = screen.getAllByTestId('problem-delete')
    if (first) fireEvent.click(first)
    expect(screen.queryAllByTestId('problem-delete')).toHaveLength(left - 1)
  }
  expect([...nodes.keys(), ...edges.keys(), ...notes.keys()]).toEqual(['good'])
  act(() => session.document.undoEdit())
  expect(screen.queryAllByTestId('problem-delete')).toHaveLength(3)
})

test('[SYNC-10] who may only look deletes nothing', () => {
  session.document.nodes.set('bad', 'x')
  session.provider.state.setState({ mayEdit: false })
  show()
  expect(screen.getByTestId<HTMLButtonElement>('problem-delete').disabled).toBe(true)
})
