// @vitest-environment jsdom
import { EditorState } from '@codemirror/state'
import { EditorView, ViewPlugin } from '@codemirror/view'
import { expect, test } from 'vitest'
import { yCollab } from 'y-codemirror.next'
import { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { keepMirrored, mirrorOf } from './text-mirror'

test('[CANVAS-9] objects, formats and line ends of all kinds in a shared text keep the editor in step with it', () => {
  const doc = new Y.Doc()
  const text = doc.getText('t')
  text.insert(0, 'a\r\nb')
  text.insertEmbed(1, { image: 'x' })
  text.format(0, 2, { bold: true })
  const view = new EditorView({
    state: EditorState.create({
      doc: mirrorOf(text),
      extensions: [
        EditorState.lineSeparator.of('\n'),
        ViewPlugin.define(() => ({ destroy: keepMirrored(text) })),
        yCollab(text, new Awareness(doc)),
      ],
    }),
  })
  const theirs = new Y.Doc()
  Y.applyUpdate(theirs, Y.encodeStateAsUpdate(doc))
  const other = theirs.getText('t')
  other.insertEmbed(0, [1, 2])
  other.insertEmbed(3, new Y.Map())
  other.insert(other.length, '\rend')
  other.format(0, 4, { italic: true })
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(theirs))
  expect(view.state.doc.length).toBe(text.length)

  view.dispatch({ changes: { from: view.state.doc.length, insert: '!' } })
  view.dispatch({ changes: { from: 0, to: 1 } })
  expect(view.state.sliceDoc()).toBe(mirrorOf(text))
  expect(text.toString()).toBe('a\r\nb\rend!')
  view.destroy()
})
