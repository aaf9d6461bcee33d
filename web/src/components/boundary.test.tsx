// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, expect, test, vi } from 'vitest'
import { Boundary } from './boundary'

afterEach(cleanup)

test('[CANVAS-9] a part that fails shows its error in its own frame, the rest lives, and it can be tried again', () => {
  const told = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  let broken = true
  function Part() {
    if (broken) throw new Error('this value is no text')
    return <p>shown</p>
  }
  render(
    <>
      <Boundary name="log">
        <Part />
      </Boundary>
      <p>the rest</p>
    </>,
  )
  expect(screen.getByTestId('part-failed').textContent).toContain('The log could not be shown. this value is no text')
  expect(screen.getByText('the rest')).toBeDefined()
  expect(told).toHaveBeenCalled()

  broken = false
  fireEvent.click(screen.getByText('Try again'))
  expect(screen.getByText('shown')).toBeDefined()
})
