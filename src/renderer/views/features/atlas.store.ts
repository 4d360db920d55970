/** Building the feature atlas of an autoencoder from the features page: choice of dataset, start, progress, cancel. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { Dataset, Job } from '../../../shared/domain'
import { client } from '../../app/client'

const ENDED = new Set<Job['state']>(['done', 'failed', 'cancelled', 'interrupted'])

export const useAtlas = defineStore('atlas', () => {
  const datasets = shallowRef<Dataset[] | null>(null)
  const job = shallowRef<Job | null>(null)
  const error = shallowRef<unknown>(null)
  const isStarting = ref(false)
  let stop: (() => void) | null = null

  /** Follows a job until it has ended; `onDone` runs only when it was completed. */
  function watch(started: Job, onDone: () => void): void {
    stop?.()
    job.value = started
    stop = client.feed(
      'jobs.watch',
      { jobId: started.id },
      (next) => (job.value = next),
      (failure) => {
        stop = null
        if (failure) error.value = failure
        else if (job.value?.state === 'done') onDone()
      },
    )
  }

  /** Reads the datasets, and finds an atlas of this autoencoder that is being built already. */
  async function prepare(saeId: number, onDone: () => void): Promise<void> {
    error.value = null
    try {
      const [sets, jobs] = await Promise.all([client.call('datasets.list', {}), client.call('jobs.list', {})])
      datasets.value = sets
      const running = jobs.find((other) => other.kind === 'atlas' && other.saeId === saeId && !ENDED.has(other.state))
      if (running) watch(running, onDone)
      else if (job.value?.saeId !== saeId) job.value = null
    } catch (failure) {
      error.value = failure
    }
  }

  async function start(saeId: number, datasetId: number, onDone: () => void): Promise<void> {
    isStarting.value = true
    error.value = null
    try {
      watch(await client.call('atlas.start', { saeId, datasetId }), onDone)
    } catch (failure) {
      error.value = failure
    } finally {
      isStarting.value = false
    }
  }

  async function cancel(): Promise<void> {
    if (!job.value) return
    await client.call('jobs.cancel', { jobId: job.value.id }).catch((failure: unknown) => {
      error.value = failure
    })
  }

  /** Stops listening; the job goes on. */
  function leave(): void {
    stop?.()
    stop = null
  }

  return { datasets, job, error, isStarting, prepare, start, cancel, leave }
})
