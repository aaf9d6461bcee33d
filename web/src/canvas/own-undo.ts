/**
 * Undo and redo of one person's edits, among the edits of others [CANVAS-6].
 *
 * Yjs keeps the steps. How one is taken back is decided here: Yjs takes what it brings back for one's own, even when
 * somebody else wrote it, so that an earlier step would go on and replace it.
 */
import * as Y from 'yjs'
import { idsOf, UndoStep } from './undo-step'

type StackItem = Y.UndoManager['undoStack'][number]

interface Options {
  trackedOrigins: Set<unknown>
  captureTimeout: number
}

export class OwnUndo extends Y.UndoManager {
  /** The values that others removed without putting another one there. */
  readonly #removed = new Set<string>()

  constructor(scope: Y.Map<unknown>[], options: Options) {
    super(scope, options)
    this.doc.on('afterTransaction', this.#note)
  }

  override undo(): StackItem | null {
    this.undoing = true
    try {
      return this.#takeBack('undo', this.undoStack)
    } finally {
      this.undoing = false
    }
  }

  override redo(): StackItem | null {
    this.redoing = true
    try {
      return this.#takeBack('redo', this.redoStack)
    } finally {
      this.redoing = false
    }
  }

  override destroy(): void {
    this.doc.off('afterTransaction', this.#note)
    super.destroy()
  }

  readonly #note = ({ origin, changed }: Y.Transaction): void => {
    if (this.trackedOrigins.has(origin)) return
    for (const [type, keys] of changed) {
      for (const key of keys) {
        const last = key === null ? undefined : type._map.get(key)
        for (const id of last?.deleted ? idsOf(last) : []) this.#removed.add(id)
      }
    }
  }

  /** Takes back the newest step of which something is left. */
  #takeBack(type: 'undo' | 'redo', stack: StackItem[]): StackItem | null {
    if (stack.length === 0) return null
    const { taken, transaction } = this.doc.transact((transaction) => {
      let step = stack.pop()
      while (step && !new UndoStep(transaction, step, this.#removed).takeBack()) step = stack.pop()
      return { taken: step ?? null, transaction }
    }, this)
    if (taken) {
      const { changedParentTypes } = transaction
      this.emit('stack-item-popped', [{ stackItem: taken, type, changedParentTypes, origin: this }, this])
    } else {
      this.emit('stack-cleared', [{ undoStackCleared: type === 'undo', redoStackCleared: type === 'redo' }])
    }
    return taken
  }
}
