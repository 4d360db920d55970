/** The forecast of a training: opens its model, measures for about two seconds, and says what the run will take. */
import { availableParallelism, loadavg } from 'node:os'
import { statfs } from 'node:fs/promises'
import type { Backend } from '../../shared/domain'
import type { Forecast } from '../../shared/training'
import { requirePossible } from '../../shared/training-rules'
import { readDocuments } from '../files/documents'
import { checkModel, loadModel, loadTokenizer, requireHook } from '../engine/lm'
import { measureCollecting, measureTraining } from '../engine/measure/calibrate'
import { forecastOf } from '../engine/measure/forecast'
import type { RunSizes, Speeds } from '../engine/measure/forecast'
import { kernelBytes, kernelThreads, openKernels } from '../engine/kernels/open'
import { architectureOf } from '../engine/sae/registry'
import { memoryReport } from '../engine/tf'
import { modelSource } from '../engine/train/activations'
import { collectCorpus, textTokens } from '../engine/train/contexts'
import type { Requests } from '../jobs/messages'
import { giveWay } from './channel'
import { threadsFor } from './source'

/** Text that padding and reading are judged by. */
const SAMPLE_TOKENS = 16_384
/** Threads share caches and memory: each after the first counts for less. */
const THREAD_GAIN = 0.8
/** Program and activations of a thread, besides its copy of the weights; measured with a small model. */
const THREAD_BYTES = 150 * 1024 * 1024
const BYTES_PER_TOKEN = 4

/** What a worker process takes before it does anything. */
export type Worker = { backend: Backend; baseBytes: number; baseSeconds: number }

type Ask = Requests['forecastRun']['ask']
type Collecting = Pick<Speeds, 'collectTokensPerSecond' | 'readTokensPerSecond' | 'startSeconds'> &
  Pick<RunSizes, 'dIn' | 'modelBytes'>

const secondsSince = (start: number) => (performance.now() - start) / 1000

/** @throws AppError of model, tokenizer and dataset; hook-unknown, hook-absent */
async function measureModel({ config, model, dataset }: Ask, { backend, baseSeconds }: Worker): Promise<Collecting> {
  const { config: facts, weights } = await checkModel(model.path)
  await weights.close()
  const { layer } = requireHook(config.hookName, facts.layers, facts.absentHooks)
  const start = performance.now()
  const before = memoryReport().bytes
  const loaded = await loadModel(model.path, layer + 1)
  try {
    const modelBytes = memoryReport().bytes - before
    const tokenizer = await loadTokenizer(model.path, facts.vocabulary, model.textStart)
    const startSeconds = baseSeconds + secondsSince(start)
    const { bosId } = tokenizer
    const contextSize = Math.min(config.contextSize, facts.contextSize)
    const options = { contextSize, bosId, seed: config.seed, neededTokens: SAMPLE_TOKENS }
    const reading = performance.now()
    const { training, heldOut } = await collectCorpus(readDocuments(dataset), tokenizer, options)
    const readTokensPerSecond = (training.ids.length + heldOut.ids.length) / secondsSince(reading)
    const { dModel } = facts
    // An empty text has no speed; the run refuses it with the reason.
    if (textTokens(training, { bosId }) === 0) {
      return { dIn: dModel, modelBytes, startSeconds, readTokensPerSecond: null, collectTokensPerSecond: null }
    }
    const threads = threadsFor({ backend: backend.name, weightBytes: 4 * facts.parameters })
    const speed = measureCollecting(modelSource(loaded, config.hookName, tokenizer), training, contextSize)
    return {
      ...{ dIn: dModel, startSeconds, readTokensPerSecond },
      collectTokensPerSecond: speed * (1 + THREAD_GAIN * (threads - 1)),
      modelBytes: threads === 1 ? modelBytes : threads * (modelBytes + THREAD_BYTES),
    }
  } finally {
    loaded.dispose()
  }
}

/**
 * Says what a training would take on this machine.
 * @throws AppError of model, tokenizer and dataset; hook-unknown, hook-absent, k-too-large, widths-invalid
 */
export async function forecastRun(ask: Ask, worker: Worker): Promise<Forecast> {
  const { config, dataset, activations, folder } = ask
  requirePossible(config)
  // Before the measuring itself makes the machine busy. Windows has no load average and says 0.
  const [load = 0] = loadavg()
  const collecting: Collecting = activations
    ? {
        ...{ dIn: activations.dIn, modelBytes: 0, startSeconds: worker.baseSeconds },
        ...{ collectTokensPerSecond: null, readTokensPerSecond: null },
      }
    : await measureModel(ask, worker)
  await giveWay()
  const { dIn, modelBytes, ...speeds } = collecting
  const architecture = architectureOf(config.architecture)
  const options = { architecture, dIn, config, backend: worker.backend.name, threads: kernelThreads() }
  const times = measureTraining(options)
  const shapes = Object.values(architecture.shapes({ dIn, dSae: config.dSae }))
  const disk = await statfs(folder)
  return forecastOf(
    config,
    { ...speeds, ...times },
    {
      ...{ dIn, modelBytes, baseBytes: worker.baseBytes },
      datasetTokens: activations?.tokens ?? dataset.tokens ?? Math.round(dataset.bytes / BYTES_PER_TOKEN),
      parameters: shapes.reduce((sum, shape) => sum + shape.reduce((product, length) => product * length, 1), 0),
      kernels: openKernels(options).reason === '' ? kernelBytes(options) : null,
    },
    {
      ...{ freeMemoryBytes: process.availableMemory(), freeDiskBytes: disk.bavail * disk.bsize },
      load: process.platform === 'win32' ? null : load / availableParallelism(),
    },
  )
}
