/**
 * Text fields whose text changes from elsewhere too: other people type there, and undo is not the browser's. The caret
 * stays where it is in the text, and a word that is being composed is not taken from under the hands.
 */
import {
  Component,
  type CompositionEvent,
  type InputHTMLAttributes,
  type ReactNode,
  type Ref,
  type RefObject,
  type TextareaHTMLAttributes,
  useCallback,
  useRef,
  useState,
} from 'react'
import { Input, Textarea } from './field'
import { changeBetween, placeAfter } from './text-change'

type Field = HTMLInputElement | HTMLTextAreaElement

type LiveProps<Attributes, Element> = Omit<Attributes, 'value' | 'defaultValue'> & {
  value: string
  ref?: Ref<Element>
}

export function LiveInput({ ref, value, ...rest }: LiveProps<InputHTMLAttributes<HTMLInputElement>, HTMLInputElement>) {
  const [field, setField] = useField(ref)
  const { shown, ...composition } = useComposition(value)
  return (
    <CaretKeeper field={field}>
      <Input {...rest} {...composition} ref={setField} value={shown} />
    </CaretKeeper>
  )
}

export function LiveTextarea({
  ref,
  value,
  ...rest
}: LiveProps<TextareaHTMLAttributes<HTMLTextAreaElement>, HTMLTextAreaElement>) {
  const [field, setField] = useField(ref)
  const { shown, ...composition } = useComposition(value)
  return (
    <CaretKeeper field={field}>
      <Textarea {...rest} {...composition} ref={setField} value={shown} />
    </CaretKeeper>
  )
}

/** The element, for this component and for who wants it besides. */
function useField<T extends Field>(given: Ref<T> | undefined): [RefObject<T | null>, (element: T | null) => void] {
  const field = useRef<T>(null)
  const set = useCallback(
    (element: T | null) => {
      field.current = element
      if (typeof given === 'function') given(element)
      else if (given) given.current = element
    },
    [given],
  )
  return [field, set]
}

/** While a word is composed, the field says what it said when that began, and what was typed since. */
function useComposition(value: string) {
  const [composed, setComposed] = useState<string>()
  return {
    shown: composed ?? value,
    onCompositionStart: ({ currentTarget }: CompositionEvent<Field>) => setComposed(currentTarget.value),
    onInput: ({ currentTarget }: { currentTarget: Field }) =>
      setComposed((before) => (before === undefined ? undefined : currentTarget.value)),
    onCompositionEnd: () => setComposed(undefined),
  }
}

interface Caret {
  text: string
  start: number
  end: number
}

/** A class, because only a class is asked right before the page is changed. */
class CaretKeeper extends Component<{ field: RefObject<Field | null>; children: ReactNode }> {
  override getSnapshotBeforeUpdate(): Caret | null {
    const field = this.props.field.current
    if (!field || document.activeElement !== field) return null
    const { value: text, selectionStart: start, selectionEnd: end } = field
    return start === null || end === null ? null : { text, start, end }
  }

  override componentDidUpdate(_props: unknown, _state: unknown, before: Caret | null): void {
    const field = this.props.field.current
    const change = field && before ? changeBetween(before.text, field.value) : undefined
    if (field && before && change) {
      field.setSelectionRange(placeAfter(change, before.start), placeAfter(change, before.end))
    }
  }

  override render(): ReactNode {
    return this.props.children
  }
}
