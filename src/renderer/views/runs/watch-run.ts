/** Follows one run over lost connections: every subscription goes on after the last point that arrived. */
import type { MonoscopeClient } from '../../../shared/contract'
import type { Run } from '../../../shared/domain'
import type { LiveCurves } from './live-curves'

const AGAIN_MS = 400

export type RunWatch = {
  client: Pick<MonoscopeClient, 'feed'>
  runId: number
  curves: LiveCurves
  onRun(run: Run): void
  /** The run has ended (no error), or watching it failed for good. */
  onEnd(error?: unknown): void
}

/** Starts watching; answers a function that stops it. */
export function watchRun({ client, runId, curves, onRun, onEnd }: RunWatch): () => void {
  let isStopped = false
  let stop: () => void = () => undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  function subscribe() {
    stop = client.feed(
      'runs.watch',
      { runId, afterStep: curves.lastStep },
      ({ run, points }) => {
        if (isStopped) return
        curves.append(points)
        onRun(run)
      },
      (error) => {
        if (isStopped) return
        if (error?.code === 'connection-lost') timer = setTimeout(subscribe, AGAIN_MS)
        else onEnd(error)
      },
    )
  }

  subscribe()
  return () => {
    isStopped = true
    clearTimeout(timer)
    stop()
  }
}
