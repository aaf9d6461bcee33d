import { expect, test } from 'vitest'
import { tsvOf } from './tsv'

test('[WEB-5] rows are copied under their header, whole', () => {
  const rows = [
    { carrier: 'AA', delay: 1.123456789, note: null },
    { carrier: 'with\ttab', delay: 2, note: 'a "word"\nand a line' },
    { carrier: '', delay: undefined, note: [1, { a: 2 }] },
  ]
  expect(tsvOf(['carrier', 'delay', 'note'], rows)).toBe(
    [
      'carrier\tdelay\tnote',
      'AA\t1.123456789\t',
      '"with\ttab"\t2\t"a ""word""\nand a line"',
      '\t\t"[1,{""a"":2}]"',
    ].join('\n'),
  )
})
