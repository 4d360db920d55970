/** Does something for the autoencoder at hand and keeps the reason when it fails. */
import { shallowRef } from 'vue'

export function useAttempt(saeId: Readonly<{ value: number | null }>) {
  const error = shallowRef<unknown>(null)
  async function attempt(work: (own: number) => Promise<unknown>): Promise<void> {
    if (saeId.value === null) return
    try {
      await work(saeId.value)
      error.value = null
    } catch (failure) {
      error.value = failure
    }
  }
  return { error, attempt }
}
