/** A question of which only the newest counts: it ends the one before, whose answer and failure are then dropped. */
import { ref, shallowRef } from 'vue'
import { AppError } from '../../shared/errors'

export function useLatestQuestion<A>() {
  /** The last one that came; it stays while a newer question is under way or when that fails. */
  const answer = shallowRef<A | null>(null)
  const error = shallowRef<unknown>(null)
  const isBusy = ref(false)
  let latest: AbortController | null = null

  async function ask(work: (signal: AbortSignal) => Promise<A>): Promise<void> {
    latest?.abort()
    const own = new AbortController()
    latest = own
    isBusy.value = true
    error.value = null
    try {
      const found = await work(own.signal)
      if (latest === own) answer.value = found
    } catch (failure) {
      const isOurs = failure instanceof AppError && failure.code === 'cancelled'
      if (latest === own && !isOurs) error.value = failure
    } finally {
      if (latest === own) isBusy.value = false
    }
  }

  /** Gives up what is under way; the last answer stays. */
  const stop = () => latest?.abort()

  /** Gives up what is under way and forgets the last answer. */
  function clear(): void {
    latest?.abort()
    latest = null
    answer.value = null
    error.value = null
    isBusy.value = false
  }

  return { answer, error, isBusy, ask, stop, clear }
}
