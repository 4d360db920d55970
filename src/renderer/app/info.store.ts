/** What the program says of itself: where it runs, what computes, and which jobs there are. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import type { AppInfo, AppStatus } from '../../shared/contract/app'
import { client, connectionState } from './client'

export const useAppInfo = defineStore('app-info', () => {
  const info = shallowRef<AppInfo | null>(null)
  const status = shallowRef<AppStatus | null>(null)
  const error = shallowRef<unknown>(null)
  /** Changes whenever a job ends, so that lists can be asked again. */
  const finishedJobs = ref(0)

  const runningJob = computed(
    () => status.value?.jobs.find((job) => job.state === 'running' || job.state === 'cancelling') ?? null,
  )
  const queuedJobs = computed(() => status.value?.jobs.filter((job) => job.state === 'queued').length ?? 0)

  async function load(): Promise<void> {
    try {
      const known = await client.call('app.info', {})
      info.value = known
      error.value = null
      // Until a worker has started nobody knows what computes, and the first question would wait for it.
      if (known.backend === null) info.value = { ...known, backend: await client.call('app.warmUp', {}) }
    } catch (failure) {
      error.value = failure
    }
  }

  const endedCount = (next: AppStatus) => next.jobs.filter((job) => job.endedAt !== null).length

  function watchStatus(): void {
    client.feed('app.watchStatus', {}, (next) => {
      const before = status.value
      status.value = next
      if (before && endedCount(next) !== endedCount(before)) finishedJobs.value++
    })
  }

  /** Call once. A feed dies with its connection, so it is asked for again on every new one. */
  function start(): void {
    watch(
      connectionState,
      (state) => {
        if (state !== 'open') return
        void load()
        watchStatus()
      },
      { immediate: true },
    )
  }

  return { info, status, error, runningJob, queuedJobs, finishedJobs, load, start }
})
