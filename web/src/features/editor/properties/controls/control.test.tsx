// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react'
import { type ReactNode, useState } from 'react'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { CanvasContext } from '../../../../canvas/hooks'
import type { JsonSchema } from '../../../../canvas/schema'
import { CanvasSession } from '../../../../canvas/session'
import { TooltipProvider } from '../../../../components/tooltip'
import { Control } from './control'

let session: CanvasSession
let written: unknown[]
let setFromElsewhere: (value: unknown) => void

beforeAll(() => {
  // jsdom measures nothing, and has no observer of sizes.
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
  written = []
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

function Host({ schema, initial }: { schema: JsonSchema; initial: unknown }): ReactNode {
  const [value, setValue] = useState(initial)
  setFromElsewhere = setValue
  const onChange = (next: unknown) => {
    written.push(next)
    setValue(next)
  }
  return (
    <CanvasContext value={session}>
      <TooltipProvider>
        <Control
          id="c"
          aria-describedby={undefined}
          aria-invalid={false}
          name="x"
          schema={schema}
          value={value}
          node={{ id: 'n', nodeType: 't' }}
          onChange={onChange}
        />
      </TooltipProvider>
    </CanvasContext>
  )
}

/** Lets a table with these columns arrive at the step. */
function arrive(...names: string[]): void {
  const { document, overlay } = session
  for (const id of ['from', 'n']) {
    const data = new Y.Map<unknown>([['nodeType', 't']])
    document.nodes.set(id, new Y.Map<unknown>(Object.entries({ position: { x: 0, y: 0 }, data })))
  }
  document.edges.set('e', new Y.Map(Object.entries({ source: 'from', target: 'n' })))
  overlay.setState({ schemas: { from: { out: names.map((name) => ({ name, type: 'string' })) } } })
}

/** The list of the field, and one of its options chosen with the pointer. */
function options(): string[] {
  fireEvent.click(screen.getByTestId('field-x'))
  return screen.getAllByRole('option').map((option) => option.firstChild?.textContent ?? '')
}
const choose = (label: string) => {
  const place = options().indexOf(label)
  fireEvent.pointerDown(screen.getAllByRole('option')[place] as HTMLElement)
}

const COLUMN: JsonSchema = { type: 'string', 'x-ui': { widget: 'column' } }
const COLUMNS: JsonSchema = { type: 'array', items: { type: 'string' }, 'x-ui': { widget: 'columns' } }

const show = (schema: JsonSchema, initial?: unknown) => render(<Host schema={schema} initial={initial} />)
const type = (testId: string, value: string) => fireEvent.change(screen.getByTestId(testId), { target: { value } })

test('every keystroke of a text is written; an optional one that is emptied is left out', () => {
  show({ type: ['string', 'null'] }, 'a')
  type('field-x', 'ab')
  type('field-x', '')
  expect(written).toEqual(['ab', undefined])
})

test('a number is written when it is one, and what is typed stays as it is typed', () => {
  show({ type: 'integer' }, 1)
  type('field-x', '-')
  expect(written).toEqual([])
  expect(screen.getByTestId<HTMLInputElement>('field-x').value).toBe('-')
  type('field-x', '-5')
  type('field-x', '-5.5')
  type('field-x', '9007199254740993')
  type('field-x', '')
  expect(written).toEqual([-5, undefined])
})

test('JSON is written when it is some, stays as it is typed, and gives way to what comes from elsewhere', () => {
  show({}, { a: 1 })
  const field = screen.getByTestId<HTMLTextAreaElement>('field-x')
  type('field-x', '{"a":2')
  expect([field.value, field.dataset.history]).toEqual(['{"a":2', 'browser'])
  type('field-x', '{"a":2}')
  type('field-x', '{"a":2} ')
  expect(written).toEqual([{ a: 2 }])
  expect([field.value, field.dataset.history]).toEqual(['{"a":2} ', undefined])
  type('field-x', '{"a":')
  act(() => setFromElsewhere([3]))
  expect(field.value).toBe('[\n  3\n]')
})

test('items are added to a list, edited in their place, and removed', () => {
  show({ type: 'array', items: { type: 'object', required: ['column'], properties: { column: { type: 'string' } } } })
  fireEvent.click(screen.getByTestId('add-x'))
  fireEvent.click(screen.getByTestId('add-x'))
  type('field-x-1-column', 'carrier')
  fireEvent.click(screen.getAllByLabelText('Remove')[0] as HTMLElement)
  expect(written.at(-2)).toEqual([{ column: '' }, { column: 'carrier' }])
  expect(written.at(-1)).toEqual([{ column: 'carrier' }])
})

test('a name of a map is written when its field is left, and never overwrites another', () => {
  show({ type: 'object', additionalProperties: { type: 'string' } }, { a: '1', b: '2' })
  const second = screen.getByLabelText('Name 2')
  fireEvent.change(second, { target: { value: 'a' } })
  fireEvent.blur(second)
  expect(written).toEqual([])
  fireEvent.change(second, { target: { value: 'c' } })
  fireEvent.blur(second)
  expect(written).toEqual([{ a: '1', c: '2' }])
})

test('columns are entered by name, each once', () => {
  show(COLUMNS, ['origin'])
  type('field-x', 'dest')
  fireEvent.keyDown(screen.getByTestId('field-x'), { key: 'Enter' })
  type('field-x', 'origin')
  fireEvent.keyDown(screen.getByTestId('field-x'), { key: 'Enter' })
  expect(written).toEqual([['origin', 'dest']])
})

test('a column is chosen by its whole name, spaces at the ends among it', () => {
  arrive(' group', 'group', ' ')
  show(COLUMNS)
  choose(' group')
  choose(' ')
  expect(written).toEqual([[' group'], [' group', ' ']])
})

test('what is typed is the column of that name, else a name without spaces around it', () => {
  arrive(' group')
  show(COLUMNS)
  type('field-x', ' group')
  fireEvent.blur(screen.getByTestId('field-x'))
  type('field-x', ' later ')
  fireEvent.blur(screen.getByTestId('field-x'))
  type('field-x', '  ')
  fireEvent.blur(screen.getByTestId('field-x'))
  expect(written).toEqual([[' group'], [' group', 'later']])
})

test('Enter takes the column that was typed before one that only contains it', () => {
  arrive('arr_delay', 'delay', 'dep_delay')
  show(COLUMNS)
  type('field-x', 'delay')
  fireEvent.keyDown(screen.getByTestId('field-x'), { key: 'Enter' })
  expect(written).toEqual([['delay']])
})

test('Enter in a field that was not touched leaves its column', () => {
  arrive('a', 'b')
  show(COLUMN, 'b')
  fireEvent.focus(screen.getByTestId('field-x'))
  fireEvent.keyDown(screen.getByTestId('field-x'), { key: 'Enter' })
  expect(written).toEqual([])
})

test('a column without a name is chosen by its label', () => {
  arrive('', 'name')
  show(COLUMNS)
  choose('Unnamed column')
  expect(written).toEqual([['']])
  expect(screen.getByLabelText('Remove Unnamed column')).toBeDefined()
})

test('one column without a name is chosen where an empty name is allowed, and offered nowhere else', () => {
  arrive('', 'name')
  const { unmount } = show(COLUMN)
  choose('Unnamed column')
  expect(written).toEqual([''])
  expect(screen.getByTestId<HTMLInputElement>('field-x').placeholder).toBe('Unnamed column')
  unmount()
  show({ ...COLUMN, minLength: 1 })
  expect(options()).toEqual(['name'])
})

test('an optional column that is emptied is left out', () => {
  show({ ...COLUMN, type: ['string', 'null'] }, 'a')
  type('field-x', '')
  expect(written).toEqual([undefined])
})

test('any name may stand in a map', () => {
  show({ type: 'object', additionalProperties: { type: 'string' } }, { a: '1' })
  const first = screen.getByLabelText('Name 1')
  fireEvent.change(first, { target: { value: 'constructor' } })
  fireEvent.blur(first)
  expect(written).toEqual([{ constructor: '1' }])
})
