/** Letters as shortcuts of the page at hand: outside text fields, without modifiers, while no dialog is open. */
import { onBeforeUnmount, onMounted } from 'vue'

const isForText = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target.matches('textarea, select, input:not([type=checkbox], [type=radio], [type=button])'))

/** Runs the handler named like `KeyboardEvent.key`, while the component is mounted. */
export function useLetterKeys(handlers: Readonly<Record<string, () => void>>): void {
  function onKey(event: KeyboardEvent) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    if (isForText(event.target) || document.querySelector('[role="dialog"], [role="alertdialog"]')) return
    const handler = Object.hasOwn(handlers, event.key) ? handlers[event.key] : undefined
    if (!handler) return
    event.preventDefault()
    handler()
  }
  onMounted(() => window.addEventListener('keydown', onKey))
  onBeforeUnmount(() => window.removeEventListener('keydown', onKey))
}
