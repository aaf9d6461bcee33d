/** One open canvas: the document, its connection, who else is here, what is shown over it. */
import { Awareness } from 'y-protocols/awareness'
import type { NodeTypeSpec } from '../api/types'
import { CanvasDocument } from './document'
import { Flaws } from './flaws'
import type { Person } from './other'
import { createOverlay, foundAll, type Overlay, withFlaws } from './overlay'
import { Presence } from './presence'
import { codeFields } from './schema'
import { summaryOf } from './summary'
import { CollabProvider, type Known } from './sync/provider'
import { CanvasView } from './view'

export interface SessionOptions {
  nodeTypes: readonly NodeTypeSpec[]
  me: Person
  address: (epoch: number | undefined) => Promise<string>
}

export class CanvasSession {
  readonly document: CanvasDocument
  readonly presence: Presence
  readonly provider: CollabProvider
  readonly view: CanvasView
  readonly overlay: Overlay
  readonly #flaws: Flaws

  /** `restore` puts the copy of this device into the document and says what it is. */
  constructor({ nodeTypes, me, address }: SessionOptions, restore?: (document: CanvasDocument) => Known) {
    this.overlay = createOverlay(nodeTypes)
    const specs = this.overlay.getState().nodeTypes
    this.document = new CanvasDocument((nodeType) => codeFields(specs.get(nodeType)))
    const known = restore?.(this.document)
    const awareness = new Awareness(this.document.doc)
    this.presence = new Presence(awareness, me)
    this.view = new CanvasView(this.document, this.presence, (id) => {
      const spec = specs.get(this.document.nodeType(id))
      return { summary: summaryOf(spec, (key) => this.document.configValue(id, key)), spec }
    })
    this.#flaws = new Flaws(this.document, (list) => this.overlay.setState((state) => withFlaws(list, state)))
    this.provider = new CollabProvider({ doc: this.document.doc, awareness, address, known })
    this.document.readOnly = !this.provider.state.getState().mayEdit
    this.provider.state.subscribe(({ mayEdit }) => {
      this.document.readOnly = !mayEdit
    })
  }

  /** Shows what another session on the same canvas shows. */
  succeed(before: CanvasSession): void {
    const { found, runs } = before.overlay.getState()
    this.overlay.setState((state) => ({ ...foundAll(found, state), runs }))
    this.view.succeed(before.view)
  }

  destroy(): void {
    this.provider.destroy()
    this.view.destroy()
    this.#flaws.destroy()
    this.presence.awareness.destroy()
    this.presence.destroy()
    this.document.undo.destroy()
    this.document.doc.destroy()
  }
}
