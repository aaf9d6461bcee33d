// @vitest-environment jsdom
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { outputQuery } from '../../../api/queries'
import type { Column, NodeOutput, Run } from '../../../api/types'
import { CanvasContext } from '../../../canvas/hooks'
import { CanvasSession } from '../../../canvas/session'
import { KeyboardOwner } from '../keyboard/owner'
import { createEditorStore, EditorContext } from '../state'
import { OutputTab } from './output-tab'

let session: CanvasSession
let queries: QueryClient

beforeAll(() => {
  // jsdom measures nothing, and has no observer of sizes. Rows are drawn where there is room for them.
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe() {}
      unobserve() {}
      disconnect() {}
    },
  )
})

beforeEach(() => {
  vi.spyOn(Element.prototype, 'clientHeight', 'get').mockReturnValue(300)
  vi.spyOn(Element.prototype, 'clientWidth', 'get').mockReturnValue(600)
  queries = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } })
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

/** A step that has put out these rows. */
function putOut(node: string, columns: readonly string[], items: unknown[]): void {
  const schema: Column[] = columns.map((name) => ({ name, type: 'float' }))
  const output = { kind: 'dataframe', port: 'out', rows: items.length, schema, items } as unknown as NodeOutput
  queries.setQueryData(outputQuery('r', node, undefined, 0).queryKey, output)
  const data = { label: node, nodeType: 't', config: {} }
  session.document.insert({
    nodes: [{ id: node, type: 'custom-node', position: { x: 0, y: 0 }, data }],
    edges: [],
  })
  session.overlay.setState(({ runs }) => ({ runs: { ...runs, [node]: { status: 'completed' } as never } }))
}

function show(node: string): void {
  const store = createEditorStore()
  store.setState({ run: { id: 'r' } as Run })
  session.view.select([node])
  render(
    <QueryClientProvider client={queries}>
      <CanvasContext value={session}>
        <EditorContext value={{ workflow: 'w', store, keyboard: new KeyboardOwner() }}>
          <OutputTab />
        </EditorContext>
      </CanvasContext>
    </QueryClientProvider>,
  )
}

const cells = () => screen.getAllByRole('cell').map(({ textContent }) => textContent)

test('a column without a name is shown under a plain label, beside the others', () => {
  putOut('a', ['', 'name', '0'], [{ '': 7, name: 'x', '0': 1 }])
  show('a')
  const headers = screen.getAllByRole('columnheader').map(({ textContent }) => textContent)
  expect(headers).toEqual(['', 'Unnamed columnfloat', 'namefloat', '0float'])
  expect(cells()).toEqual(['7', 'x', '1'])
})

test('a small number is shown as what it is, and every digit is in its title', () => {
  putOut('a', ['p'], [{ p: 1.2e-8 }, { p: 0.000012345678 }])
  show('a')
  expect(cells()).toEqual(['1.2e-8', '0.0000123457'])
  expect(screen.getByTitle('0.000012345678')).toBeDefined()
})

test('a table that fails says so in its place, and the table of the next step is shown', () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  putOut('bad', ['a'], [null])
  putOut('good', ['a'], [{ a: 1 }])
  show('bad')
  expect(screen.getByTestId('part-failed')).toBeDefined()
  expect(screen.getByTestId('output-rows')).toBeDefined()
  act(() => session.view.select(['good']))
  expect(screen.queryByTestId('part-failed')).toBeNull()
  expect(cells()).toEqual(['1'])
})

test('a failed table is tried again', () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  putOut('a', ['a'], [null])
  show('a')
  act(() => putOut('a', ['a'], [{ a: 2 }]))
  fireEvent.click(screen.getByText('Try again'))
  expect(cells()).toEqual(['2'])
})
