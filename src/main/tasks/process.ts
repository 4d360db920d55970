/** A worker process: takes a job or questions over the IPC channel of its parent and leaves when the channel closes. */
import { toFailure } from '../../shared/errors'
import { openBackend } from '../engine/tf'
import type { FromWorker, JobSpec, ToWorker } from '../jobs/messages'
import { Answerer } from './ask'
import { runAtlas } from './atlas'
import type { Channel } from './channel'
import { runCollect } from './collect'
import { runEvaluation } from './evaluate'
import { runMap } from './map'
import { runNeurons } from './neurons'
import { runTraining } from './train'

/** @returns false when the job was cancelled */
function runJob(spec: JobSpec, channel: Channel): Promise<boolean> {
  switch (spec.kind) {
    case 'train':
      return runTraining(spec, channel)
    case 'atlas':
      return runAtlas(spec, channel)
    case 'collect':
      return runCollect(spec, channel)
    case 'evaluate':
      return runEvaluation(spec, channel)
    case 'map':
      return runMap(spec, channel)
    case 'neurons':
      return runNeurons(spec, channel)
    default:
      return spec satisfies never
  }
}

class WorkerBody {
  private isCancelled = false
  /** Resolves when every message handed over so far has left. */
  private sent: Promise<void> = Promise.resolve()
  /** Of questions being answered; their askers may go away. */
  private readonly asked = new Map<number, AbortController>()
  /** Opening starts at once; messages that come before wait for it. */
  private readonly opened = openBackend().then((backend) => {
    this.send({ type: 'ready', backend })
    return { backend, answerer: new Answerer(backend) }
  })

  constructor(private readonly entry: string) {}

  receive(order: ToWorker): void {
    if (order.type === 'cancel') this.isCancelled = true
    else if (order.type === 'abort') this.asked.get(order.id)?.abort()
    else void (order.type === 'start' ? this.start(order) : this.answer(order))
  }

  /** Says how it ended and exits once all is said. */
  async leave(message: FromWorker, code: number): Promise<void> {
    this.send(message)
    await this.sent
    process.exit(code)
  }

  private send(message: FromWorker): void {
    if (!process.connected) return
    const leaving = new Promise<void>((resolve) => process.send?.(message, undefined, undefined, () => resolve()))
    this.sent = this.sent.then(() => leaving)
  }

  private async start({ spec }: Extract<ToWorker, { type: 'start' }>): Promise<void> {
    try {
      const { backend } = await this.opened
      const send = (message: FromWorker) => this.send(message)
      const channel = { send, isCancelled: () => this.isCancelled, backend, threadEntry: this.entry }
      const finished = await runJob(spec, channel)
      // The system counts in kilobytes.
      if (finished && spec.kind === 'train') this.send({ type: 'peak', bytes: process.resourceUsage().maxRSS * 1024 })
      await this.leave({ type: finished ? 'done' : 'cancelled' }, 0)
    } catch (error) {
      await this.leave({ type: 'failed', failure: toFailure(error) }, 0)
    }
  }

  private async answer(question: Extract<ToWorker, { type: 'ask' | 'stream' }>): Promise<void> {
    const { id } = question
    const controller = new AbortController()
    this.asked.set(id, controller)
    try {
      const { answerer } = await this.opened
      if (question.type === 'ask') {
        this.send({ type: 'answer', id, ok: await answerer.answer(question.name, question.input, controller.signal) })
        return
      }
      for await (const part of answerer.stream(question.name, question.input, controller.signal)) {
        this.send({ type: 'part', id, part })
      }
      this.send({ type: 'streamEnd', id })
    } catch (error) {
      this.send({ type: 'answerFailed', id, failure: toFailure(error) })
    } finally {
      this.asked.delete(id)
    }
  }
}

/** Serves the parent process. @param entry the script of this process, which its threads are started with as well */
export function serveProcess(entry: string): void {
  const body = new WorkerBody(entry)
  const fail = (error: unknown) => void body.leave({ type: 'failed', failure: toFailure(error) }, 1)
  process.on('disconnect', () => process.exit(0))
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)
  // The other end of the channel is our own main process; its messages have the agreed types.
  process.on('message', (message) => body.receive(message as ToWorker))
}
