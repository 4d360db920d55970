/** The runs of the workspace, the one that is looked at with its live curves, and what can be done to them. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { Job, Run } from '../../../shared/domain'
import { client } from '../../app/client'
import { makeLiveCurves, type LiveCurves } from './live-curves'
import { withJobs } from './run-state'
import { watchRun } from './watch-run'

/** The run that is looked at, as its watcher last saw it. */
function useWatchedRun(onEnded: () => void) {
  const selectedId = ref<number | null>(null)
  const watched = shallowRef<Run | null>(null)
  const curves = shallowRef<LiveCurves>(makeLiveCurves())
  const watchError = shallowRef<unknown>(null)
  let stop: (() => void) | null = null

  /** Stops listening; the run goes on. */
  function leave(): void {
    stop?.()
    stop = null
  }

  /** Looks at a run: its curves start empty and fill with all that was measured. Null looks at nothing. */
  function select(runId: number | null): void {
    if (runId === selectedId.value && stop) return
    leave()
    selectedId.value = runId
    watchError.value = null
    watched.value = null
    curves.value = makeLiveCurves()
    if (runId === null) return
    stop = watchRun({
      client,
      runId,
      curves: curves.value,
      onRun: (run) => (watched.value = run),
      onEnd: (failure) => {
        watchError.value = failure ?? null
        onEnded()
      },
    })
  }

  return { selectedId, watched, curves, watchError, select, leave }
}

export const useRuns = defineStore('runs', () => {
  const list = shallowRef<Run[] | null>(null)
  const error = shallowRef<unknown>(null)
  /** Failure of the last stop, resumption or removal. */
  const changeError = shallowRef<unknown>(null)
  const { selectedId, watched, curves, watchError, select, leave } = useWatchedRun(() => void load())

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

  /** Takes over the progress that the status feed brings. */
  function applyJobs(jobs: readonly Job[]): void {
    if (!list.value) return
    const next = withJobs(list.value, jobs)
    list.value = next.runs
    if (next.isStale) void load()
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

  /** Goes on with a run that has ended early; its curves go on from the checkpoint. */
  async function resume(runId: number): Promise<boolean> {
    const isQueued = await change(() => client.call('runs.resume', { runId }))
    if (isQueued && selectedId.value === runId) {
      leave()
      select(runId)
    }
    return isQueued
  }

  async function remove(runId: number): Promise<boolean> {
    const isGone = await change(() => client.call('runs.remove', { runId }))
    if (isGone && selectedId.value === runId) select(null)
    return isGone
  }

  return {
    ...{ list, runs, error, selectedId, selected, curves, watchError, changeError },
    ...{ load, applyJobs, select, leave, cancel, resume, remove },
  }
})
