// @vitest-environment jsdom
import { describe, expect, test } from 'vitest'
import { hintOf, type Pressed, type Shortcut, ShortcutMatcher } from './shortcuts'

const NONE = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, isComposing: false }
const find = (key: string, code: string, held: Partial<Pressed> = {}) =>
  new ShortcutMatcher().find({ ...NONE, key, code, ...held })
const withCtrl = (key: string, code: string) => find(key, code, { ctrlKey: true })

/** What the keys of Z, Y, A, D and K give on layouts of other scripts. */
const LAYOUTS: [name: string, keys: [z: string, y: string, a: string, d: string, k: string]][] = [
  ['Russian', ['я', 'н', 'ф', 'в', 'л']],
  ['Ukrainian', ['я', 'н', 'ф', 'в', 'л']],
  ['Greek', ['ζ', 'υ', 'α', 'δ', 'κ']],
  ['Hebrew', ['ז', 'ט', 'ש', 'ג', 'ל']],
  ['Arabic', ['ئ', 'غ', 'ش', 'ي', 'ن']],
  ['Persian', ['ظ', 'غ', 'ش', 'ی', 'ن']],
  ['Thai', ['ผ', 'ั', 'ฟ', 'ก', 'า']],
  ['Hindi', ['ॆ', 'ब', 'ो', '्', 'क']],
  ['Korean', ['ㅋ', 'ㅛ', 'ㅁ', 'ㅇ', 'ㅏ']],
]

describe.each(LAYOUTS)('[WEB-5] on a %s keyboard the place of a letter counts', (_, [z, y, a, d, k]) => {
  test.each<[Shortcut, string, string]>([
    ['undo', z, 'KeyZ'],
    ['redo', y, 'KeyY'],
    ['select-all', a, 'KeyA'],
    ['duplicate', d, 'KeyD'],
    ['commands', k, 'KeyK'],
  ])('%s', (shortcut, key, code) => {
    expect(withCtrl(key, code)).toBe(shortcut)
    expect(find(key, code, { metaKey: true })).toBe(shortcut)
  })

  test('redo and disable', () => {
    expect(find(z.toUpperCase(), 'KeyZ', { ctrlKey: true, shiftKey: true })).toBe('redo')
    expect(find(d, 'KeyD')).toBe('disable')
  })
})

test('[WEB-5] AZERTY and Dvorak keep their own places', () => {
  expect(withCtrl('z', 'KeyW'), 'AZERTY').toBe('undo')
  expect(withCtrl('w', 'KeyZ'), 'AZERTY').toBeUndefined()
  expect(withCtrl('a', 'KeyQ'), 'AZERTY').toBe('select-all')
  expect(withCtrl('q', 'KeyA'), 'AZERTY').toBeUndefined()
  expect(withCtrl('y', 'KeyZ'), 'QWERTZ').toBe('redo')
  expect(withCtrl('z', 'Slash'), 'Dvorak').toBe('undo')
  expect(withCtrl(';', 'KeyZ'), 'Dvorak').toBeUndefined()
  expect(withCtrl('e', 'KeyD'), 'Dvorak').toBeUndefined()
  expect(withCtrl('d', 'KeyH'), 'Dvorak').toBe('duplicate')
  expect(withCtrl('à', 'KeyZ'), 'BÉPO').toBeUndefined()
})

test('[WEB-5] a symbol at the place of a letter belongs to the script that was typed last', () => {
  const matcher = new ShortcutMatcher()
  const press = (key: string, shiftKey = false) => matcher.find({ ...NONE, ctrlKey: true, shiftKey, key, code: 'KeyZ' })
  expect(press('~', true)).toBeUndefined()
  expect(press('ئ')).toBe('undo')
  expect(press('~', true), 'Arabic').toBe('redo')
  expect(press('z')).toBe('undo')
  expect(press('~', true)).toBeUndefined()
})

test('[WEB-5] digits and signs are found wherever the layout has them', () => {
  expect(find('1', 'Digit1')).toBe('fit')
  expect(find('&', 'Digit1'), 'AZERTY').toBe('fit')
  expect(find('1', 'Digit1', { shiftKey: true }), 'AZERTY').toBe('fit')
  expect(find('!', 'Digit1', { shiftKey: true }), 'QWERTY').toBeUndefined()
  expect(find('١', 'Digit1'), 'Arabic').toBe('fit')
  expect(find('+', 'Digit1'), 'Czech').toBe('zoom-in')
  expect(find('+', 'BracketRight'), 'German').toBe('zoom-in')
  expect(find('+', 'Equal', { shiftKey: true })).toBe('zoom-in')
  expect(find('-', 'Digit6'), 'AZERTY').toBe('zoom-out')
})

test('[WEB-5] named keys are what they are, and what is held besides makes another combination', () => {
  expect(find('Delete', 'Delete')).toBe('delete')
  expect(find('Backspace', 'Backspace')).toBe('delete')
  expect(find('Tab', 'Tab')).toBe('search-steps')
  expect(find('Tab', 'Tab', { shiftKey: true })).toBeUndefined()
  expect(find('Delete', 'Delete', { ctrlKey: true })).toBeUndefined()
  expect(find('z', 'KeyZ', { ctrlKey: true, altKey: true }), 'AltGr').toBeUndefined()
  expect(find('я', 'KeyZ', { ctrlKey: true, isComposing: true })).toBeUndefined()
  expect(find('D', 'KeyD', { shiftKey: true })).toBeUndefined()
})

test('a combination is shown as it is pressed', () => {
  expect([hintOf('undo'), hintOf('redo'), hintOf('rename'), hintOf('disable')]).toEqual([
    'Ctrl Z',
    'Ctrl ⇧Z',
    'F2',
    'D',
  ])
})
