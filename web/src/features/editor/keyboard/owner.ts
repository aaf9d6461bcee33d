/**
 * Which part of the page the keyboard belongs to: the one that was clicked or focused last [WEB-5].
 *
 * A part is an element with `data-part`. What is none (toolbar, dialogs, menus) leaves the keyboard where it was.
 */
const PARTS = ['canvas', 'palette', 'properties', 'panel'] as const
export type PartName = (typeof PARTS)[number]

/** What a part does with the keys that mean the same everywhere. */
export interface Content {
  /** Takes everything that the part shows. */
  selectAll: () => void
  /** Puts what was taken on the clipboard. `false`: nothing was. */
  copy: (clipboard: DataTransfer) => boolean
  leave: () => void
}

export class KeyboardOwner {
  #part: PartName = 'canvas'
  readonly #contents = new Map<PartName, Content>()

  /** Starts to follow clicks and focus. Returns how to stop. */
  follow(): () => void {
    const note = ({ target }: Event) => {
      const part = target instanceof Element ? target.closest('[data-part]')?.getAttribute('data-part') : undefined
      const known = PARTS.find((name) => name === part)
      if (known) this.#part = known
    }
    document.addEventListener('pointerdown', note, true)
    document.addEventListener('focusin', note, true)
    return () => {
      document.removeEventListener('pointerdown', note, true)
      document.removeEventListener('focusin', note, true)
    }
  }

  /** A part that is gone gives the keyboard back to the canvas. */
  get part(): PartName {
    return elementOf(this.#part) ? this.#part : 'canvas'
  }

  give(part: PartName): void {
    this.#part = part
  }

  /** Tells what is in a part now. Returns how to take it back. */
  show(part: PartName, content: Content): () => void {
    this.#contents.set(part, content)
    return () => {
      if (this.#contents.get(part) === content) this.#contents.delete(part)
    }
  }

  /** Takes everything of the part that has the keyboard: its rows, or else its text. */
  selectAll(): void {
    const content = this.#contents.get(this.part)
    const element = elementOf(this.part)
    if (content) {
      getSelection()?.removeAllRanges()
      content.selectAll()
    } else if (element) {
      getSelection()?.selectAllChildren(element.querySelector('[role=tabpanel]') ?? element)
    }
  }

  copy(clipboard: DataTransfer): boolean {
    return this.#contents.get(this.part)?.copy(clipboard) ?? false
  }

  /** Back to the canvas. */
  leave(): void {
    this.#contents.get(this.part)?.leave()
    this.give('canvas')
  }
}

function elementOf(part: PartName): Element | null {
  return document.querySelector(`[data-part=${part}]`)
}
