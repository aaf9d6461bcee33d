/** CodeMirror, for shared texts and for expressions. In a file of its own, so that it is loaded when first needed. */
import { autocompletion, closeBrackets, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap } from '@codemirror/commands'
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { Annotation, Compartment, EditorSelection, EditorState, type Extension, type Text } from '@codemirror/state'
import { drawSelection, EditorView, keymap, placeholder as placeholderText, ViewPlugin } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { useEffect, useMemo, useRef, useState } from 'react'
import { yCollab } from 'y-codemirror.next'
import type * as Y from 'yjs'
import type { Column } from '../../../api/types'
import { useCanvas, useConfigText, useReadOnly } from '../../../canvas/hooks'
import { textAwareness } from '../../../canvas/text-awareness'
import { keepMirrored, mirrorOf } from '../../../canvas/text-mirror'
import { changeBetween } from '../../../components/text-change'
import { columnCompletion, languageOf } from './code-language'
import type { ControlIds } from './field-frame'

interface SharedCodeProps extends ControlIds {
  node: string
  name: string
  language: string | undefined
  columns: readonly Column[]
}

/** A text that several people type in at once, with each other's carets. Plain text is shared once somebody is in it. */
export function SharedCode({ node, name, language, columns, ...ids }: SharedCodeProps) {
  const { document, presence } = useCanvas()
  const readOnly = useReadOnly()
  const text = useConfigText(node, name)
  const isShared = typeof text !== 'string'
  const [focused, setFocused] = useState(false)
  const awareness = useMemo(() => textAwareness(presence), [presence])
  const { host } = useEditorView(
    name,
    ids,
    columns,
    () => ({
      doc: isShared ? mirrorOf(text) : text,
      readOnly: readOnly || !isShared,
      language,
      extensions: [
        EditorView.theme({ '.cm-content': { minHeight: '96px' } }),
        LINE_FEEDS,
        ...(isShared ? [mirrored(text), yCollab(text, awareness, { undoManager: !readOnly && document.undo })] : []),
      ],
    }),
    [text, language, readOnly],
  )
  useEffect(() => {
    if (focused && !isShared && !readOnly) document.share(node, name)
  }, [focused, isShared, readOnly, document, node, name])
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: focus passes through here, nothing here is pressed
    <div
      ref={host}
      data-testid={`code-${name}`}
      onFocus={() => setFocused(true)}
      onBlur={() => {
        setFocused(false)
        presence.tell({ textCursor: null })
      }}
    />
  )
}

interface ExpressionProps extends ControlIds {
  name: string
  value: string
  language: string | undefined
  placeholder?: string | undefined
  columns: readonly Column[]
  onChange: (value: string) => void
}

const fromOutside = Annotation.define<boolean>()

/** A short expression. It is one value, so the last to type wins. */
export function Expression({ name, value, language, placeholder, columns, onChange, ...ids }: ExpressionProps) {
  const readOnly = useReadOnly()
  const latest = useRef(onChange)
  latest.current = onChange
  /** The newest text that was typed here, and as the editor holds it: a long one is not looked through again. */
  const typed = useRef<{ doc: Text; value: string }>(undefined)
  const { host, view } = useEditorView(
    name,
    ids,
    columns,
    () => ({
      doc: value,
      readOnly,
      language,
      extensions: [
        LINE_FEEDS,
        ...(placeholder ? [placeholderText(placeholder)] : []),
        EditorView.updateListener.of((update) => {
          const isTyped = update.transactions.some(
            (transaction) => transaction.docChanged && !transaction.annotation(fromOutside),
          )
          if (!isTyped) return
          const { doc } = update.state
          typed.current = { doc, value: textOf(doc) }
          latest.current(typed.current.value)
        }),
      ],
    }),
    [language, placeholder, readOnly],
  )
  useEffect(() => {
    const editor = view.current
    if (!editor || (editor.state.doc === typed.current?.doc && value === typed.current.value)) return
    const change = changeBetween(textOf(editor.state.doc), value)
    if (!change) return
    const changes = editor.state.changes(change)
    const selection = editor.state.selection.map(changes, 1)
    editor.dispatch({ changes, selection, annotations: fromOutside.of(true) })
  }, [view, value])
  return <div ref={host} data-testid={`expression-${name}`} />
}

/** A text editor. What it is bound to may change while somebody is in it: focus, caret and a press go on. */
function useEditorView(
  name: string,
  ids: ControlIds,
  columns: readonly Column[],
  configure: () => { doc: string; readOnly: boolean; language: string | undefined; extensions: Extension[] },
  dependencies: readonly unknown[],
) {
  const host = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(undefined)
  const completions = useRef(new Compartment())

  useEffect(() => {
    if (!host.current) return
    const editor = new EditorView({ parent: host.current })
    view.current = editor
    return () => {
      editor.destroy()
      view.current = undefined
    }
  }, [])

  useEffect(() => {
    const editor = view.current
    if (!editor) return
    const { doc, readOnly, language, extensions } = configure()
    editor.setState(
      EditorState.create({
        doc,
        selection: within(editor.state.selection, doc.length),
        extensions: [
          languageOf(language, doc),
          extensions,
          readOnly ? READING : WRITING,
          BASE,
          completions.current.of(columnCompletion(columns)),
          EditorView.contentAttributes.of({
            id: ids.id,
            'aria-label': name.replaceAll('_', ' '),
            'aria-describedby': ids['aria-describedby'] ?? '',
          }),
        ],
      }),
    )
    // biome-ignore lint/correctness/useExhaustiveDependencies: a state lives as long as what it is bound to
  }, dependencies)

  useEffect(() => {
    view.current?.dispatch({ effects: completions.current.reconfigure(columnCompletion(columns)) })
  }, [columns])

  return { host, view }
}

/** The same as `toString`, which takes long for many lines. */
function textOf(doc: Text): string {
  const parts: string[] = []
  const add = (part: Text) => {
    if (part.children) for (const child of part.children) add(child)
    else parts.push(part.toJSON().join('\n'))
  }
  add(doc)
  return parts.join('\n')
}

function within(selection: EditorSelection, length: number): EditorSelection {
  const { anchor, head } = selection.main
  return EditorSelection.single(Math.min(anchor, length), Math.min(head, length))
}

const COLORS = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--accent-text)', fontWeight: '500' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--ok)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--warn)' },
  { tag: tags.comment, color: 'var(--faint)', fontStyle: 'italic' },
  { tag: [tags.typeName, tags.propertyName], color: 'var(--text)' },
])

/** A text and its editor count the same characters: a line ends with one, wherever it comes from. */
const LINE_FEEDS: Extension = [
  EditorState.lineSeparator.of('\n'),
  EditorView.clipboardInputFilter.of((text) => (text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text)),
]

/** Comes before the binding, which hears of changes after it. */
function mirrored(text: Y.Text): Extension {
  return ViewPlugin.define(() => ({ destroy: keepMirrored(text) }))
}

/** Completions can be clicked although nothing may be edited: who reads is offered none. */
const READING: Extension = EditorState.readOnly.of(true)
const WRITING: Extension = [keymap.of(completionKeymap), closeBrackets(), autocompletion({ icons: false })]

const BASE: Extension = [
  keymap.of(defaultKeymap),
  drawSelection(),
  bracketMatching(),
  syntaxHighlighting(COLORS),
  EditorView.lineWrapping,
  EditorView.theme({
    '.cm-content': { fontFamily: 'var(--font-mono)', caretColor: 'var(--text)', padding: '6px 0', lineHeight: '18px' },
    '.cm-line': { padding: '0 8px' },
    '&.cm-focused .cm-cursor': { borderLeftColor: 'var(--text)' },
    '.cm-placeholder': { color: 'var(--faint)' },
    '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
      background: 'color-mix(in srgb, var(--accent) 25%, transparent) !important',
    },
    '.cm-tooltip': {
      background: 'var(--raised)',
      color: 'var(--text)',
      border: '1px solid var(--line)',
      borderRadius: '8px',
      boxShadow: 'var(--shadow-pop)',
      overflow: 'hidden',
    },
    '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--font-mono)', fontSize: '12px', padding: '4px' },
    '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '3px 8px', borderRadius: '4px', lineHeight: '18px' },
    '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': {
      background: 'var(--hover)',
      color: 'var(--text)',
    },
    '.cm-completionMatchedText': { textDecoration: 'none', color: 'var(--accent-text)', fontWeight: '600' },
    '.cm-completionDetail': { color: 'var(--faint)', fontStyle: 'normal', marginLeft: '8px' },
    '.cm-ySelectionInfo': {
      fontFamily: 'var(--font-sans)',
      fontSize: '10px',
      borderRadius: '3px',
      padding: '1px 4px',
    },
  }),
]
