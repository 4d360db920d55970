/** Does something when a person comes back to this window: another one may have changed what it shows. */
import { onBeforeUnmount, onMounted } from 'vue'

export function onReturn(run: () => unknown): void {
  const listener = () => void run()
  onMounted(() => window.addEventListener('focus', listener))
  onBeforeUnmount(() => window.removeEventListener('focus', listener))
}
