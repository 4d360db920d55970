/** How the body of a job speaks: messages out, a cancel flag in. */
import { setImmediate } from 'node:timers/promises'
import type { Backend } from '../../shared/domain'
import type { FromWorker } from '../jobs/messages'

export type Channel = {
  send(message: FromWorker): void
  /** True once main has asked the job to end. */
  isCancelled(): boolean
  /** What this process computes on. */
  backend: Backend
  /** The script that a thread of this job is started with. */
  threadEntry: string
}

/** Lets waiting messages in: a job computes for long stretches without giving way. */
export async function giveWay(): Promise<void> {
  await setImmediate()
}
