// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import { type ReactNode, useState } from 'react'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { CanvasContext } from '../../../../canvas/hooks'
import type { JsonSchema } from '../../../../canvas/schema'
import { CanvasSession } from '../../../../canvas/session'
import { TooltipProvider } from '../../../../components/tooltip'
import { Control } from './control'

let session: CanvasSession
let written: unknown[]

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
  show({ type: 'array', items: { type: 'string' }, 'x-ui': { widget: 'columns' } }, ['origin'])
  type('field-x', 'dest')
  fireEvent.keyDown(screen.getByTestId('field-x'), { key: 'Enter' })
  type('field-x', 'origin')
  fireEvent.keyDown(screen.getByTestId('field-x'), { key: 'Enter' })
  expect(written).toEqual([['origin', 'dest']])
})
