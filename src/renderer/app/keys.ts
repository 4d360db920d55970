/** Letters as shortcuts of one page: they act outside text fields, without modifiers, while no dialog is open. */
import { onBeforeUnmount, onMounted } from 'vue'

/** What each key does; the name is that of `KeyboardEvent.key`. A handler that answers false leaves the key to others. */
export type KeyMap = Record<string, () => unknown>

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
    const run = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined
    if (!run) return
    if (run() !== false) event.preventDefault()
  }
  onMounted(() => window.addEventListener('keydown', onKey))
  onBeforeUnmount(() => window.removeEventListener('keydown', onKey))
}
