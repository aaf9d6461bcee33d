// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, expect, test, vi } from 'vitest'
import { LiveInput } from './live-field'

afterEach(cleanup)

const field = () => screen.getByRole<HTMLInputElement>('textbox')

function show(value: string, onChange = vi.fn()) {
  const input = (value: string) => <LiveInput value={value} onChange={({ target }) => onChange(target.value)} />
  const { rerender } = render(input(value))
  return { set: (value: string) => rerender(input(value)), onChange }
}

test('the caret stays where it is in the text when the text changes from elsewhere', () => {
  const { set } = show('one three')
  field().focus()
  field().setSelectionRange(4, 9)
  set('one two three')
  expect([field().value, field().selectionStart, field().selectionEnd]).toEqual(['one two three', 4, 13])
  field().setSelectionRange(3, 3)
  set('zero, one two three')
  expect(field().selectionStart).toBe(9)
  set('zero, one')
  expect(field().selectionStart).toBe(9)
})

test('a word that is being composed is not replaced from elsewhere', () => {
  const { set, onChange } = show('a')
  fireEvent.compositionStart(field())
  fireEvent.input(field(), { target: { value: 'an' } })
  expect(onChange).toHaveBeenLastCalledWith('an')
  set('of another')
  expect(field().value).toBe('an')
  fireEvent.compositionEnd(field())
  expect(field().value).toBe('of another')
})

test('a field gives its element to who wants it', () => {
  const wanted = vi.fn()
  render(<LiveInput ref={wanted} value="" onChange={vi.fn()} />)
  expect(wanted).toHaveBeenCalledWith(field())
})
