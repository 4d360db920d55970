/** Letters as shortcuts of one page: they act outside text fields, without modifiers, while no dialog is open. */
import { onBeforeUnmount, onMounted } from 'vue'

/** What each key does; the name is what {@link keyOf} says. A handler that answers false leaves the key to others. */
export type KeyMap = Record<string, () => unknown>

/**
 * The key a shortcut is meant by. Letters are told as lower-case Latin ones, and as upper-case with Shift. A Latin layout says itself which
 * letter it is (Dvorak, AZERTY); where another script is typed (Hangul, Cyrillic) or an input method holds the key back, the place on the
 * keyboard counts. Caps Lock makes no difference.
 */
export function keyOf({ key, code, shiftKey }: Pick<KeyboardEvent, 'key' | 'code' | 'shiftKey'>): string {
  if (key.length === 1 && key <= '~') return /[a-z]/i.test(key) ? cased(key, shiftKey) : key
  const [, letter] = /^Key([A-Z])$/.exec(code) ?? []
  if (letter !== undefined) return cased(letter, shiftKey)
  return PUNCTUATION[code] ?? key
}

/** Signs that shortcuts use, by their place on the keyboard. */
const PUNCTUATION: Readonly<Partial<Record<string, string>>> = {
  ...{ Slash: '/', BracketLeft: '[', BracketRight: ']', Minus: '-', Equal: '=', Digit0: '0' },
}

const cased = (letter: string, isUpper: boolean) => (isUpper ? letter.toUpperCase() : letter.toLowerCase())

/** Whether typing there means text. */
export function isTextField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement)
    return true
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button'].includes(target.type)
}

/** Enter and space belong to the control that has the focus. */
function isForControl(event: KeyboardEvent): boolean {
  if (event.key !== 'Enter' && event.key !== ' ') return false
  return event.target instanceof HTMLElement && event.target.closest('a, button, input, summary') !== null
}

/** Listens while the component is mounted. */
export function useKeys(keys: KeyMap): void {
  function onKey(event: KeyboardEvent) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    if (
      isTextField(event.target) ||
      isForControl(event) ||
      document.querySelector('[role="dialog"], [role="alertdialog"]')
    )
      return
    const key = keyOf(event)
    const run = Object.hasOwn(keys, key) ? keys[key] : undefined
    if (!run) return
    if (run() !== false) event.preventDefault()
  }
  onMounted(() => window.addEventListener('keydown', onKey))
  onBeforeUnmount(() => window.removeEventListener('keydown', onKey))
}
