/**
 * Forward passes on several threads, for backends that compute on one. Every thread holds the model once. The caller stays
 * synchronous: it starts passes ahead and waits for the oldest, so that results come in the order in which they were asked for.
 */
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { AppError, fromFailure } from '../../../shared/errors'
import type { Failure } from '../../../shared/errors'
import { oneHook } from './activations'
import type { ActivationSource, HookSource } from './activations'

/** What a thread is started with. */
export type ThreadSetup = {
  port: MessagePort
  /** One counter that every thread adds to after each message, so that the waiting side wakes up. */
  signal: Int32Array
  modelPath: string
  /** Blocks to load: those up to the last hook. */
  blocks: number
  hookNames: readonly string[]
  backend: string
}

export type ToThread = { ids: Int32Array; rows: number }
export type FromThread = { resids: Float32Array<ArrayBuffer>[] } | { failure: Failure }

/** A thread that says nothing for this long has died without a word. */
const SILENCE_MS = 10 * 60_000

type Pending = { result: FromThread | null }

class Thread {
  readonly pending: Pending[] = []
  private readonly port: MessagePort
  private readonly worker: Worker

  constructor(
    entry: string,
    private readonly signal: Int32Array,
    setup: Omit<ThreadSetup, 'port' | 'signal'>,
  ) {
    const { port1, port2 } = new MessageChannel()
    const workerData: ThreadSetup = { ...setup, port: port2, signal }
    this.worker = new Worker(entry, { workerData, transferList: [port2] })
    this.port = port1
    // Neither keeps the process alive: its own work does.
    this.worker.unref()
    this.port.unref()
  }

  start(ids: Int32Array, rows: number): Pending {
    const pending: Pending = { result: null }
    this.pending.push(pending)
    this.port.postMessage({ ids, rows } satisfies ToThread)
    return pending
  }

  /** Blocks until the pass is done. @throws AppError what the thread met; worker-lost when it is silent */
  wait(pending: Pending): Float32Array[] {
    while (!pending.result) {
      const seen = Atomics.load(this.signal, 0)
      const message = receiveMessageOnPort(this.port)
      if (message) {
        const first = this.pending.shift()
        // The other end of the port is our own thread; its messages have the agreed type.
        if (first) first.result = message.message as FromThread
      } else if (Atomics.wait(this.signal, 0, seen, SILENCE_MS) === 'timed-out') {
        throw new AppError('worker-lost', { reason: `a thread was silent for ${SILENCE_MS / 60_000} minutes` })
      }
    }
    if ('failure' in pending.result) throw fromFailure(pending.result.failure)
    return pending.result.resids
  }

  dispose(): void {
    this.port.close()
    void this.worker.terminate()
  }
}

export type ThreadOptions = Omit<ThreadSetup, 'port' | 'signal'> &
  Pick<HookSource, 'bosId' | 'specialIds' | 'dIn'> & {
    /** The script that serves a thread. */
    entry: string
    threads: number
  }

/** Passes of a model folder on several threads. Results do not depend on how many there are: every pass is computed by one. */
export function threadHooks({ entry, threads, bosId, specialIds, dIn, ...setup }: ThreadOptions): HookSource {
  const signal = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const all = Array.from({ length: threads }, () => new Thread(entry, signal, setup))
  return {
    ...{ hookNames: setup.hookNames, bosId, specialIds, dIn },
    // One more than there are threads, so that none waits while the caller works on a result.
    passesAhead: threads + 1,
    start(ids, rows) {
      const thread = all.reduce((best, one) => (one.pending.length < best.pending.length ? one : best))
      const pending = thread.start(ids, rows)
      return () => thread.wait(pending)
    },
    dispose: () => all.forEach((thread) => thread.dispose()),
  }
}

/** {@link threadHooks} for one place. */
export const threadSource = ({
  hookName,
  ...options
}: Omit<ThreadOptions, 'hookNames'> & { hookName: string }): ActivationSource =>
  oneHook(threadHooks({ ...options, hookNames: [hookName] }))
