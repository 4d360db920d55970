/** The runs of the workspace, the one that is looked at with its live curves, and what can be done to them. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { Job, JobState, Run } from '../../../shared/domain'
import { client } from '../../app/client'
import { makeLiveCurves, type LiveCurves } from './live-curves'
import { watchRun } from './watch-run'

const ENDED: readonly JobState[] = ['done', 'failed', 'cancelled', 'interrupted']
export const hasEnded = (state: JobState): boolean => ENDED.includes(state)

/** Seconds until a run ends at its present speed; null while the speed is unknown. */
export function secondsLeft(run: Run): number | null {
  if (run.state !== 'running' || !run.tokensPerSecond) return null
  return ((run.steps - run.step) * run.config.batchTokens) / run.tokensPerSecond
}

export const useRuns = defineStore('runs', () => {
  const list = shallowRef<Run[] | null>(null)
  const error = shallowRef<unknown>(null)
  const selectedId = ref<number | null>(null)
  /** The selected run as its watcher last saw it. */
  const watched = shallowRef<Run | null>(null)
  const curves = shallowRef<LiveCurves>(makeLiveCurves())
  const watchError = shallowRef<unknown>(null)
  const changeError = shallowRef<unknown>(null)
  let stop: (() => void) | null = null

  /** Newest first; the watched run is fresher than the list. */
  const runs = computed<Run[]>(() =>
    (list.value ?? []).map((run) => (run.id === watched.value?.id ? watched.value : run)).sort((a, b) => b.id - a.id),
  )
  const selected = computed(() => runs.value.find((run) => run.id === selectedId.value) ?? null)

  async function load(): Promise<void> {
    try {
      list.value = await client.call('runs.list', {})
      error.value = null
    } catch (failure) {
      error.value = failure
    }
  }

  /** Takes over the progress that the status feed brings; a run that is new or has changed its state is read again. */
  function applyJobs(jobs: readonly Job[]): void {
    const known = list.value
    if (!known) return
    const jobOf = (run: Run) => jobs.find((job) => job.id === run.jobId)
    const isStale =
      jobs.some((job) => job.kind === 'train' && job.runId !== null && !known.some((run) => run.id === job.runId)) ||
      known.some((run) => (jobOf(run)?.state ?? run.state) !== run.state)
    list.value = known.map((run) => {
      const job = jobOf(run)
      return job ? { ...run, state: job.state, step: job.done, tokensPerSecond: job.tokensPerSecond } : run
    })
    if (isStale) void load()
  }

  /** Looks at a run: its curves start empty and fill with all that was measured. Null looks at nothing. */
  function select(runId: number | null): void {
    if (runId === selectedId.value && stop) return
    leave()
    selectedId.value = runId
    changeError.value = null
    watchError.value = null
    if (runId === null) return
    watched.value = null
    curves.value = makeLiveCurves()
    stop = watchRun({
      client,
      runId,
      curves: curves.value,
      onRun: (run) => (watched.value = run),
      onEnd: (failure) => {
        watchError.value = failure ?? null
        void load()
      },
    })
  }

  /** Stops listening; the run goes on. */
  function leave(): void {
    stop?.()
    stop = null
  }

  async function change(work: () => Promise<unknown>): Promise<boolean> {
    changeError.value = null
    try {
      await work()
      return true
    } catch (failure) {
      changeError.value = failure
      return false
    } finally {
      await load()
    }
  }

  const cancel = (runId: number) => change(() => client.call('runs.cancel', { runId }))

  async function remove(runId: number): Promise<boolean> {
    const isGone = await change(() => client.call('runs.remove', { runId }))
    if (isGone && selectedId.value === runId) {
      leave()
      selectedId.value = null
      watched.value = null
    }
    return isGone
  }

  return {
    ...{ list, runs, error, selectedId, selected, curves, watchError, changeError },
    ...{ load, applyJobs, select, leave, cancel, remove },
  }
})
