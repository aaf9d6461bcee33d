/** Every shortcut of the editor, and the one matcher that finds them on every keyboard layout [WEB-5]. */
import { MOD } from '../../../components/platform'

export type Shortcut =
  | 'commands'
  | 'undo'
  | 'redo'
  | 'select-all'
  | 'leave'
  | 'duplicate'
  | 'delete'
  | 'disable'
  | 'rename'
  | 'search-steps'
  | 'fit'
  | 'zoom-in'
  | 'zoom-out'

interface Combination {
  /** As in `KeyboardEvent.key`, a letter in lower case. */
  key: string
  /** Ctrl or ⌘. */
  mod?: boolean
  /** Without it, Shift is as the layout needs it for that key. */
  shift?: boolean
}

/** The first combination of each is the one that is shown. */
const COMBINATIONS: Record<Shortcut, readonly Combination[]> = {
  commands: [{ key: 'k', mod: true, shift: false }],
  undo: [{ key: 'z', mod: true, shift: false }],
  redo: [
    { key: 'z', mod: true, shift: true },
    { key: 'y', mod: true, shift: false },
  ],
  'select-all': [{ key: 'a', mod: true, shift: false }],
  leave: [{ key: 'Escape' }],
  duplicate: [{ key: 'd', mod: true, shift: false }],
  delete: [{ key: 'Delete' }, { key: 'Backspace' }],
  disable: [{ key: 'd', shift: false }],
  rename: [{ key: 'F2' }],
  'search-steps': [{ key: 'Tab', shift: false }],
  fit: [{ key: '1' }],
  'zoom-in': [{ key: '+' }, { key: '=' }],
  'zoom-out': [{ key: '-' }],
}

const NAMED = /^[A-Z][A-Za-z0-9]+$/
const LATIN = /^\p{Script=Latin}+$/u
/** Marks too: they are keys of their own in many scripts. */
const LETTERS = /^[\p{L}\p{M}]+$/u

export type Pressed = Pick<
  KeyboardEvent,
  'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey' | 'isComposing'
>

/**
 * Finds the shortcut of a key. A Latin letter is what the layout says, so that AZERTY and Dvorak keep their own places;
 * on a layout of another script the place of the key counts. A symbol says nothing of the script: the last letter did.
 */
export class ShortcutMatcher {
  #latin = true

  find(pressed: Pressed): Shortcut | undefined {
    if (pressed.altKey || pressed.isComposing) return undefined
    const names = Object.keys(COMBINATIONS) as Shortcut[]
    for (const key of this.#keysOf(pressed)) {
      const found = names.find((name) => COMBINATIONS[name].some((wanted) => matches(wanted, key, pressed)))
      if (found) return found
    }
    return undefined
  }

  /** What the key may mean, the likeliest first. */
  #keysOf({ key, code, shiftKey }: Pressed): string[] {
    if (NAMED.test(key)) return [key]
    if (LETTERS.test(key)) this.#latin = LATIN.test(key)
    const letter = this.#latin ? undefined : /^Key([A-Z])$/.exec(code)?.[1]?.toLowerCase()
    const digit = shiftKey ? undefined : /^Digit(\d)$/.exec(code)?.[1]
    return [key.toLowerCase(), letter, digit].filter((candidate) => candidate !== undefined)
  }
}

/** The combination as it is shown, such as `Ctrl Z`. */
export function hintOf(name: Shortcut): string {
  const [{ key, mod, shift } = { key: '' }] = COMBINATIONS[name]
  return `${mod ? MOD : ''}${shift ? '⇧' : ''}${key.length === 1 ? key.toUpperCase() : key}`
}

function matches({ key, mod = false, shift }: Combination, pressed: string, { ctrlKey, metaKey, shiftKey }: Pressed) {
  return key === pressed && mod === (ctrlKey || metaKey) && (shift === undefined || shift === shiftKey)
}
