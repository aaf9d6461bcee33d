import type { JsonSchema } from '../../../../canvas/schema'
import type { ControlIds } from '../field-frame'

/** What every control of a config value is given. `undefined` means: not set. */
export interface ControlProps extends ControlIds {
  name: string
  schema: JsonSchema
  value: unknown
  node: { id: string; nodeType: string }
  onChange: (value: unknown) => void
}
