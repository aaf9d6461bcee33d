// @vitest-environment jsdom
import { cleanup, render, screen } from '@testing-library/react'
import { afterEach, expect, test } from 'vitest'
import { Problem } from '../../api/problem'
import { ImportProblems } from './import-problems'

afterEach(cleanup)

test('[CANVAS-8] every problem of a file is listed: where, what, and what to do', () => {
  const errors = [
    { pointer: '/file/diagram/nodes/0/id', detail: '1 is not a text', solution: 'give a text' },
    { pointer: '/file', detail: '`name` is missing', solution: 'fill in `name`' },
  ]
  const problem = new Problem({ status: 422, code: 'invalid_diagram', title: '', detail: '2 problems', errors })
  render(<ImportProblems file="flow.wflow.json" problem={problem} onClose={() => undefined} />)
  const listed = screen.getAllByTestId('import-problem').map((item) => item.textContent)
  expect(listed).toEqual(['/diagram/nodes/0/id1 is not a textgive a text', 'The filename is missingfill in name'])
})
