/** Opens what a job collects activations from: the model in this thread, or one copy per core where the backend computes on one thread. */
import { availableParallelism, freemem } from 'node:os'
import { checkModel, loadModel, loadTokenizer, requireHook } from '../engine/lm'
import type { ModelConfig, Tokenizer } from '../engine/lm'
import { modelHooks, oneHook } from '../engine/train/activations'
import type { ActivationSource, HookSource } from '../engine/train/activations'
import { threadHooks } from '../engine/train/thread-source'
import type { ModelSource } from '../jobs/messages'
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

/** Opens several places of one model. @throws AppError of model and tokenizer; hook-unknown, hook-absent */
export async function openHooks(
  model: Pick<ModelSource, 'path' | 'textStart'>,
  hookNames: readonly string[],
  { backend, threadEntry }: Channel,
): Promise<Omit<OpenSource, 'source'> & { source: HookSource }> {
  const { config, weights } = await checkModel(model.path)
  await weights.close()
  const layers = hookNames.map((name) => requireHook(name, config.layers, config.absentHooks).layer)
  const blocks = Math.max(...layers) + 1
  const tokenizer = await loadTokenizer(model.path, config.vocabulary, model.textStart)
  const { bosId, specialIds } = tokenizer
  const threads = threadsFor({ backend: backend.name, weightBytes: 4 * config.parameters })
  if (threads === 1) {
    return { source: modelHooks(await loadModel(model.path, blocks), hookNames, tokenizer), tokenizer, config }
  }
  const setup = { modelPath: model.path, blocks, hookNames, backend: backend.name }
  const source = threadHooks({ ...setup, entry: threadEntry, threads, bosId, specialIds, dIn: config.dModel })
  return { source, tokenizer, config }
}

/** Opens one place of a model. @throws AppError of model and tokenizer; hook-unknown, hook-absent */
export async function openSource(
  model: Pick<ModelSource, 'path' | 'textStart'>,
  hookName: string,
  channel: Channel,
): Promise<OpenSource> {
  const { source, ...rest } = await openHooks(model, [hookName], channel)
  return { ...rest, source: oneHook(source) }
}
