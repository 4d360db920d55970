/** Opens what a job collects activations from: the model in this thread, or one copy per core where the backend computes on one thread. */
import { availableParallelism, freemem } from 'node:os'
import { checkModel, loadModel, loadTokenizer, requireHook } from '../engine/lm'
import type { ModelConfig, Tokenizer } from '../engine/lm'
import { modelSource } from '../engine/train/activations'
import type { ActivationSource } from '../engine/train/activations'
import { threadSource } from '../engine/train/thread-source'
import type { Channel } from './channel'

/** Memory that a thread needs besides its copy of the weights: program, activations of a pass. */
const THREAD_BYTES = 400 * 1024 * 1024

export type OpenSource = { source: ActivationSource; tokenizer: Tokenizer; config: ModelConfig }

/**
 * Threads to collect with. Only wasm gains: TensorFlow spreads one pass over all cores by itself, and plain JavaScript is for tests.
 * MONOSCOPE_THREADS sets the number, for machines that are shared.
 */
export function threadsFor({ backend, weightBytes }: { backend: string; weightBytes: number }): number {
  if (backend !== 'wasm') return 1
  const wanted = Number(process.env.MONOSCOPE_THREADS)
  if (Number.isInteger(wanted) && wanted > 0) return wanted
  const fitting = Math.floor(freemem() / (weightBytes + THREAD_BYTES))
  return Math.max(1, Math.min(availableParallelism(), fitting))
}

/** @throws AppError of model and tokenizer; hook-unknown, hook-absent */
export async function openSource(
  model: { path: string },
  hookName: string,
  { backend, threadEntry }: Channel,
): Promise<OpenSource> {
  const { config, weights } = await checkModel(model.path)
  await weights.close()
  const blocks = requireHook(hookName, config.layers, config.absentHooks).layer + 1
  const tokenizer = await loadTokenizer(model.path, config.vocabulary)
  const bosId = tokenizer.bosId
  const threads = threadsFor({ backend: backend.name, weightBytes: 4 * config.parameters })
  if (threads === 1) {
    return { source: modelSource(await loadModel(model.path, blocks), hookName, bosId), tokenizer, config }
  }
  const setup = { modelPath: model.path, blocks, hookName, backend: backend.name }
  return {
    source: threadSource({ ...setup, entry: threadEntry, threads, bosId, dIn: config.dModel }),
    tokenizer,
    config,
  }
}
