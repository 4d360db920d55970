/** Asking for an evaluation of an autoencoder, and stopping one; the progress comes with the status of the program. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { client } from '../../app/client'

export const useQuality = defineStore('quality', () => {
  const isBusy = ref(false)
  /** Failure of the last start or stop, and the autoencoder it was about. */
  const error = shallowRef<{ saeId: number; failure: unknown } | null>(null)

  async function attempt(saeId: number, work: () => Promise<unknown>): Promise<void> {
    if (isBusy.value) return
    isBusy.value = true
    error.value = null
    try {
      await work()
    } catch (failure) {
      error.value = { saeId, failure }
    } finally {
      isBusy.value = false
    }
  }

  const start = (saeId: number, datasetId: number) =>
    attempt(saeId, () => client.call('evaluations.start', { saeId, datasetId }))
  const cancel = (saeId: number, jobId: number) => attempt(saeId, () => client.call('jobs.cancel', { jobId }))

  return { isBusy, error, start, cancel }
})
