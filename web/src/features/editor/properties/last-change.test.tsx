// @vitest-environment jsdom
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { act, cleanup, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { versions } from '../../../api/operations'
import { CanvasContext } from '../../../canvas/hooks'
import { CanvasSession } from '../../../canvas/session'
import { KeyboardOwner } from '../keyboard/owner'
import { createEditorStore, EditorContext } from '../state'
import { LastChange } from './last-change'

let session: CanvasSession

beforeEach(() => {
  vi.useFakeTimers()
  session = new CanvasSession({
    nodeTypes: [],
    me: { id: 'me', name: 'Me', color: '#000000' },
    address: () => new Promise(() => undefined),
  })
  const data = { label: 'a', nodeType: 'limit', config: { rows: 5 } }
  session.document.insert({ nodes: [{ id: 'a', type: 'custom-node', position: { x: 0, y: 0 }, data }], edges: [] })
})

afterEach(() => {
  cleanup()
  session.destroy()
  vi.useRealTimers()
})

test('who changed a step last is asked again after a change that its card does not show', async () => {
  const ask = vi.spyOn(versions, 'lastChange')
  ask.mockResolvedValue({ by: { id: 'a', name: 'Anna' }, at: 0 } as never)
  render(
    <QueryClientProvider client={new QueryClient()}>
      <CanvasContext value={session}>
        <EditorContext value={{ workflow: 'w', store: createEditorStore(), keyboard: new KeyboardOwner() }}>
          <LastChange node="a" />
        </EditorContext>
      </CanvasContext>
    </QueryClientProvider>,
  )
  await act(() => vi.advanceTimersByTimeAsync(3_000))
  expect(screen.getByTestId('last-change').textContent).toContain('Anna')
  ask.mockResolvedValue({ by: { id: 'b', name: 'Ben' }, at: 0 } as never)
  act(() => session.document.setConfig('a', 'rows', 6))
  await act(() => vi.advanceTimersByTimeAsync(3_000))
  expect(screen.getByTestId('last-change').textContent).toContain('Ben')
})
