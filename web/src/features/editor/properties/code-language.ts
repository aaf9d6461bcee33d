/** What the text editor knows of a language: its colours, and what can be completed. */
import type { Completion, CompletionSource } from '@codemirror/autocomplete'
import { json } from '@codemirror/lang-json'
import { PostgreSQL } from '@codemirror/lang-sql'
import { Compartment, EditorState, type Extension } from '@codemirror/state'
import type { Column } from '../../../api/types'

/** Nobody writes more by hand. */
const READ_CHARS_MAX = 200_000

/** How a text is understood. One that is very long is only a text: reading it would take from everything else. */
export function languageOf(language: string | undefined, text: string): Extension {
  const extension = extensionOf(language)
  const part = new Compartment()
  return [
    part.of(text.length > READ_CHARS_MAX ? [] : extension),
    EditorState.transactionExtender.of(({ changes }) => {
      const [was, is] = [changes.length > READ_CHARS_MAX, changes.newLength > READ_CHARS_MAX]
      return was === is ? null : { effects: part.reconfigure(is ? [] : extension) }
    }),
  ]
}

function extensionOf(language: string | undefined): Extension {
  if (language === 'json') return json()
  if (language === 'sql' || language === undefined) return [PostgreSQL.language, SQL_COMPLETION]
  return []
}

/** SQL cannot name a column that has no name. */
export function columnCompletion(columns: readonly Column[]): Extension {
  const named = columns.filter(({ name }) => name !== '')
  return completionOf(
    named.map(({ name, type }) => ({
      label: name,
      detail: type,
      type: 'property',
      apply: /^[a-z_][a-z0-9_]*$/i.test(name) ? name : `"${name.replaceAll('"', '""')}"`,
      boost: 10,
    })),
  )
}

function completionOf(options: readonly Completion[]): Extension {
  const autocomplete: CompletionSource = (context) => {
    const word = context.matchBefore(/[\w"]+/)
    return word || context.explicit ? { from: word?.from ?? context.pos, options, validFor: /^[\w"]*$/ } : null
  }
  return EditorState.languageData.of(() => [{ autocomplete }])
}

/** The words that are worth offering; a dialect knows hundreds that nobody types here. */
const SQL_COMPLETION = completionOf([
  ...words('keyword', 'SELECT FROM WHERE GROUP BY ORDER HAVING LIMIT OFFSET AS AND OR NOT IN IS NULL LIKE BETWEEN'),
  ...words('keyword', 'CASE WHEN THEN ELSE END JOIN LEFT INNER FULL ON UNION ALL DISTINCT ASC DESC CAST TRUE FALSE'),
  ...words('function', 'COUNT SUM AVG MIN MAX MEDIAN STDDEV ROUND ABS COALESCE LOWER UPPER LENGTH TRIM CONCAT REPLACE'),
])

function words(type: string, list: string): Completion[] {
  return list.split(' ').map((label) => ({ label, type }))
}
