// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, expect, test } from 'vitest'
import { TooltipProvider } from '../../../components/tooltip'
import { ParametersField } from './parameters'

afterEach(cleanup)

function show(value: Record<string, unknown>) {
  const written: unknown[] = []
  render(
    <TooltipProvider>
      <ParametersField value={value} onCommit={(next) => written.push(next)} />
    </TooltipProvider>,
  )
  return written
}

test('a name with spaces at its ends stays until somebody changes it', () => {
  const written = show({ ' limit ': 1 })
  const name = screen.getByLabelText('Name of the parameter')
  fireEvent.blur(name)
  fireEvent.change(screen.getByLabelText('Default value'), { target: { value: '2' } })
  fireEvent.blur(screen.getByLabelText('Default value'))
  expect(written).toEqual([{ ' limit ': 2 }])
})
