import { syntaxTree } from '@codemirror/language'
import { EditorState } from '@codemirror/state'
import { expect, test } from 'vitest'
import { languageOf } from './code-language'

const isRead = (state: EditorState) => syntaxTree(state).length > 0

test('a very long text is not read as a language, whenever it becomes one', () => {
  const long = 'a + '.repeat(60_000)
  expect(isRead(EditorState.create({ doc: long, extensions: languageOf('sql', long) }))).toBe(false)

  let state = EditorState.create({ doc: 'a > 1', extensions: languageOf('sql', 'a > 1') })
  expect(isRead(state)).toBe(true)
  state = state.update({ changes: { from: 0, insert: long } }).state
  expect(isRead(state)).toBe(false)
  state = state.update({ changes: { from: 0, to: long.length, insert: '' } }).state
  expect(isRead(state)).toBe(true)
})
