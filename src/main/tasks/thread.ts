/** A thread of a job: holds the model and runs the forward passes it is sent, one after the other. */
import { workerData } from 'node:worker_threads'
import { toFailure } from '../../shared/errors'
import { BackendName } from '../../shared/domain'
import { loadModel } from '../engine/lm'
import type { LanguageModel } from '../engine/lm'
import { residsOf } from '../engine/train/activations'
import type { FromThread, ThreadSetup, ToThread } from '../engine/train/thread-source'
import { openBackend } from '../engine/tf'

async function open({ backend, modelPath, blocks }: ThreadSetup): Promise<LanguageModel> {
  await openBackend(BackendName.parse(backend))
  return loadModel(modelPath, blocks)
}

/** Serves until the other end closes the port. */
export function serveThread(): void {
  // Our own job has started this thread with the agreed setup.
  const setup = workerData as ThreadSetup
  const { port, signal, hookNames } = setup
  const opening = open(setup)
  // What goes wrong is told with the first pass.
  opening.catch(() => undefined)
  const answer = (message: FromThread) => {
    port.postMessage(message, 'resids' in message ? message.resids.map(({ buffer }) => buffer) : [])
    Atomics.add(signal, 0, 1)
    Atomics.notify(signal, 0)
  }
  port.on('message', ({ ids, rows }: ToThread) => {
    opening.then(
      (model) => {
        try {
          answer({ resids: residsOf(model, hookNames, { ids, rows }) })
        } catch (error) {
          answer({ failure: toFailure(error) })
        }
      },
      (error: unknown) => answer({ failure: toFailure(error) }),
    )
  })
}
