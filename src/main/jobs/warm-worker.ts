/** The worker for interactive questions: started at the first one, kept while it is used, started again after a crash. */
import { AppError, fromFailure } from '../../shared/errors'
import type { Changes } from './changes'
import type { FromWorker, RequestName, Requests, StreamName, Streams, ToWorker } from './messages'
import { PartQueue } from './part-queue'
import { describeExit, WorkerProcess, type WorkerCommand } from './worker-process'

const IDLE_MS = 10 * 60_000
const LEAVE_PATIENCE_MS = 1000
/** A worker that goes on with a question this long after its asker has left is ended, so that others get their turn. */
const OBEY_MS = 2000

type Ask = {
  id: number
  message: ToWorker
  onPart(part: unknown): void
  resolve(answer: unknown): void
  reject(error: AppError): void
}

const ignore = () => undefined

export type WarmWorkerOptions = { command: WorkerCommand; changes: Changes; idleMs?: number; obeyMs?: number }

export class WarmWorker {
  private worker: WorkerProcess | null = null
  private asked: Ask | null = null
  private waiting: Ask[] = []
  private nextId = 1
  private idle: NodeJS.Timeout | null = null
  private isClosed = false

  constructor(private readonly options: WarmWorkerOptions) {}

  /** Whether a question is being answered. */
  get isBusy(): boolean {
    return this.asked !== null
  }

  /** Process number, while one runs. */
  get pid(): number | undefined {
    return this.worker?.pid
  }

  /**
   * Asks one question; questions are answered one after the other.
   * @throws AppError what the worker says, `worker-lost` when it dies, `worker-missing`, `cancelled`
   */
  ask<N extends RequestName>(name: N, input: Requests[N]['ask'], signal?: AbortSignal): Promise<Requests[N]['answer']> {
    const id = this.nextId++
    // The worker answers a question of this name with the agreed type.
    return this.enqueue(id, { type: 'ask', id, name, input }, { signal }) as Promise<Requests[N]['answer']>
  }

  /**
   * Asks a question that is answered in parts; each is handed on as it comes.
   * @throws AppError as {@link ask}
   */
  async *stream<N extends StreamName>(
    name: N,
    input: Streams[N]['ask'],
    signal: AbortSignal,
  ): AsyncGenerator<Streams[N]['part']> {
    const id = this.nextId++
    // The asker may go away by leaving the loop, without a signal of its own.
    const left = new AbortController()
    const parts = new PartQueue<Streams[N]['part']>()
    const either = AbortSignal.any([signal, left.signal])
    // The worker sends parts of the agreed type.
    const onPart = (part: unknown) => parts.push(part as Streams[N]['part'])
    this.enqueue(id, { type: 'stream', id, name, input }, { signal: either, onPart }).then(
      () => parts.end(),
      (error: unknown) => parts.end(error instanceof Error ? error : new Error(String(error))),
    )
    try {
      yield* parts
    } finally {
      left.abort()
    }
  }

  private enqueue(
    id: number,
    message: ToWorker,
    { signal, onPart = ignore }: { signal?: AbortSignal | undefined; onPart?: (part: unknown) => void },
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted || this.isClosed) return reject(new AppError('cancelled'))
      const onAbort = () => {
        // A question that is being answered ends when the worker says so; what it still says is dropped.
        this.waiting = this.waiting.filter((ask) => ask.id !== id)
        if (this.asked?.id === id) this.abortAsked(id)
        reject(new AppError('cancelled'))
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      const settle = () => signal?.removeEventListener('abort', onAbort)
      this.waiting.push({
        ...{ id, message, onPart },
        resolve: (answer) => {
          settle()
          resolve(answer)
        },
        reject: (error) => {
          settle()
          reject(error)
        },
      })
      this.pump()
    })
  }

  /** Tells the worker that nobody wants the answer any more, and ends it when it does not listen: a regular expression may never end. */
  private abortAsked(id: number): void {
    const { worker } = this
    worker?.send({ type: 'abort', id })
    const endIfBusy = () => {
      if (!worker || this.worker !== worker || this.asked?.id !== id) return
      this.options.command.log.warn({ question: id }, 'the warm worker did not stop when told to and is ended')
      void worker.stop(0)
    }
    setTimeout(endIfBusy, this.options.obeyMs ?? OBEY_MS).unref()
  }

  /** Rejects what waits and ends the process. */
  async close(): Promise<void> {
    this.isClosed = true
    if (this.idle) clearTimeout(this.idle)
    const lost = new AppError('cancelled')
    for (const ask of this.waiting.splice(0)) ask.reject(lost)
    this.asked?.reject(lost)
    this.asked = null
    await this.stop()
  }

  private async stop(): Promise<void> {
    const { worker } = this
    this.worker = null
    worker?.disconnect()
    await worker?.stop(LEAVE_PATIENCE_MS)
  }

  private pump(): void {
    if (this.asked || this.isClosed) return
    if (this.idle) clearTimeout(this.idle)
    const next = this.waiting.shift()
    if (!next) {
      this.idle = setTimeout(() => void this.stop(), this.options.idleMs ?? IDLE_MS).unref()
      return
    }
    this.asked = next
    this.worker ??= this.start()
    this.worker.send(next.message)
  }

  private start(): WorkerProcess {
    const worker = new WorkerProcess(this.options.command, (message) => this.receive(worker, message))
    void worker.exited.then((exit) => {
      if (this.worker !== worker) return
      this.worker = null
      const lost = worker.missing(exit) ?? new AppError('worker-lost', { reason: describeExit(exit) })
      this.options.command.log.error({ reason: lost.message, stderr: worker.stderrTail }, 'the warm worker stopped')
      this.asked?.reject(lost)
      this.asked = null
      this.pump()
    })
    return worker
  }

  private receive(worker: WorkerProcess, message: FromWorker): void {
    if (message.type === 'ready') this.options.changes.setBackend(message.backend)
    if (message.type === 'failed' && this.worker === worker)
      this.finish((ask) => ask.reject(fromFailure(message.failure)))
    if (!('id' in message) || this.asked?.id !== message.id) return
    if (message.type === 'part') this.asked.onPart(message.part)
    else if (message.type === 'answer') this.finish((ask) => ask.resolve(message.ok))
    else if (message.type === 'streamEnd') this.finish((ask) => ask.resolve(undefined))
    else this.finish((ask) => ask.reject(fromFailure(message.failure)))
  }

  private finish(settle: (ask: Ask) => void): void {
    const { asked } = this
    this.asked = null
    if (asked) settle(asked)
    this.pump()
  }
}
