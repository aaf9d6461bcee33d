/** One open canvas: the document, its connection, who else is here, what is shown over it. */
import { Awareness } from 'y-protocols/awareness'
import type { NodeTypeSpec } from '../api/types'
import { CanvasDocument } from './document'
import { createOverlay, type Overlay } from './overlay'
import { type Person, Presence } from './presence'
import { CollabProvider } from './provider'
import { codeKeys } from './schema'
import { summaryOf } from './summary'
import { CanvasView } from './view'

export class CanvasSession {
  readonly document: CanvasDocument
  readonly presence: Presence
  readonly provider: CollabProvider
  readonly view: CanvasView
  readonly overlay: Overlay

  constructor(options: { nodeTypes: readonly NodeTypeSpec[]; me: Person; address: () => Promise<string> }) {
    this.overlay = createOverlay(options.nodeTypes)
    const specs = this.overlay.getState().nodeTypes
    this.document = new CanvasDocument((nodeType) => codeKeys(specs.get(nodeType)))
    const awareness = new Awareness(this.document.doc)
    this.presence = new Presence(awareness, options.me)
    this.view = new CanvasView(this.document, this.presence, (id) =>
      summaryOf(specs.get(String(this.document.data(id)?.get('nodeType'))), this.document.config(id)),
    )
    this.provider = new CollabProvider({ doc: this.document.doc, awareness, address: options.address })
  }

  destroy(): void {
    this.provider.destroy()
    this.view.destroy()
    this.presence.awareness.destroy()
    this.presence.destroy()
    this.document.undo.destroy()
    this.document.doc.destroy()
  }
}
