/** The process that computes: takes a job or questions over the IPC channel of its parent and leaves when the channel closes. */
import { toFailure } from '../shared/errors'
import { openBackend } from './engine/tf'
import type { FromWorker, ToWorker } from './jobs/messages'
import { Answerer } from './tasks/ask'
import { runAtlas } from './tasks/atlas'
import { runTraining } from './tasks/train'

let isCancelled = false
/** Resolves when every message handed over so far has left. */
let sent: Promise<void> = Promise.resolve()

function send(message: FromWorker): void {
  if (!process.connected) return
  const leaving = new Promise<void>((resolve) => process.send?.(message, undefined, undefined, () => resolve()))
  sent = sent.then(() => leaving)
}

/** Says how it ended and exits once all is said. */
async function leave(message: FromWorker, code: number): Promise<void> {
  send(message)
  await sent
  process.exit(code)
}

process.on('disconnect', () => process.exit(0))
process.on('uncaughtException', (error) => void leave({ type: 'failed', failure: toFailure(error) }, 1))
process.on('unhandledRejection', (error) => void leave({ type: 'failed', failure: toFailure(error) }, 1))

// Opening starts at once; messages that come before wait for it.
const opened = openBackend().then((backend) => {
  send({ type: 'ready', backend })
  return { backend, answerer: new Answerer(backend) }
})

async function start({ spec }: Extract<ToWorker, { type: 'start' }>): Promise<void> {
  try {
    const { backend } = await opened
    const channel = { send, isCancelled: () => isCancelled, backend }
    const finished = spec.kind === 'train' ? await runTraining(spec, channel) : await runAtlas(spec, channel)
    await leave({ type: finished ? 'done' : 'cancelled' }, 0)
  } catch (error) {
    await leave({ type: 'failed', failure: toFailure(error) }, 0)
  }
}

async function answer({ id, name, input }: Extract<ToWorker, { type: 'ask' }>): Promise<void> {
  try {
    const { answerer } = await opened
    send({ type: 'answer', id, ok: await answerer.answer(name, input) })
  } catch (error) {
    send({ type: 'answerFailed', id, failure: toFailure(error) })
  }
}

// The other end of the channel is our own main process; its messages have the agreed types.
process.on('message', (message) => {
  const order = message as ToWorker
  if (order.type === 'cancel') isCancelled = true
  else void (order.type === 'start' ? start(order) : answer(order))
})
