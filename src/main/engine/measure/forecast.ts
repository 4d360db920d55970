/** What a training will take of time, memory and disk, from speeds that were measured: plain arithmetic, no clock. */
import { CURVE_TOKENS, plannedTokens } from '../../../shared/held-out'
import { trainingSteps } from '../../../shared/presets'
import { hasFixedK } from '../../../shared/training-rules'
import type { Forecast, TrainConfig } from '../../../shared/training'
import { ESTIMATION_TOKENS } from '../train/activations'
import { evaluationCount, mostPoints } from '../train/schedules'
import { LARGEST_CACHE_BYTES } from '../train/stream'
import { BLOCK_ROWS } from './held-out'

/** What was measured; null where the run does not do it. */
export type Speeds = Pick<Forecast, 'route' | 'stepMs' | 'denseStepMs' | 'collectTokensPerSecond'> & {
  /** Documents read and cut into tokens. */
  readTokensPerSecond: number | null
  judgeTokensPerSecond: number
  /** Opening of the process and of the model. */
  startSeconds: number
}

export type RunSizes = {
  dIn: number
  /** Text tokens of the dataset or, where activations are on disk, of the set. */
  datasetTokens: number
  /** Numbers that are trained. */
  parameters: number
  /** The model up to the hook, in every thread that runs it; 0 for activations on disk. */
  modelBytes: number
  /** Of the process before it has loaded anything. */
  baseBytes: number
  /** See kernelBytes; null where the kernels cannot work. */
  kernels: { start: number; most: number } | null
}

const FLOAT_BYTES = 4
/**
 * A run without a fixed k goes by the dense route until the penalty has made its codes sparse. Rule of thumb: that takes twice the
 * warm-up of the penalty, which is 5 % of the steps.
 */
const DENSE_SHARE = 0.1
/** Copies of all parameters that the dense route holds at once: values and two moments, tensors, and gradients in both forms. */
const DENSE_COPIES = 6
/** Matrices [batch, dSae] that a dense step holds at once. */
const DENSE_MATRICES = 4
/** Parameters and both moments. */
const STATE_COPIES = 3
/** A checkpoint takes the state out and lays it out for its file. */
const CHECKPOINT_COPIES = 2 * STATE_COPIES
/** Values on their way, and what is freed but not yet collected: runs on a model of width 64 peaked up to so far above the rest. */
const PASSING_BYTES = 448 * 1024 * 1024
/** Full evaluations: one at the first checkpoint and one at the end, each with the firing shares, which need no decoding. */
const FULL_EVALUATIONS = 2 * 1.5
/** A point of the curves in metrics.jsonl and in the log, about. */
const POINT_BYTES = 400

type Tokens = { training: number; heldOut: number; pool: number; cached: number; collected: number }

function tokensOf(config: TrainConfig, { dIn, datasetTokens }: Pick<RunSizes, 'dIn' | 'datasetTokens'>): Tokens {
  const { trainingTokens, batchTokens, bufferTokens, activationsId } = config
  const { training, heldOut } = plannedTokens(trainingTokens, datasetTokens)
  const pool = Math.max(bufferTokens, 2 * batchTokens)
  if (activationsId !== null) return { training, heldOut, pool, cached: 0, collected: 0 }
  const drawn = trainingSteps(config) * batchTokens + pool
  const isCached = training * dIn * FLOAT_BYTES <= LARGEST_CACHE_BYTES
  // The scale is estimated in passes of its own.
  const before = heldOut + Math.min(ESTIMATION_TOKENS, training)
  const cached = isCached ? Math.min(training, drawn) : 0
  return { training, heldOut, pool, cached, collected: before + (isCached ? cached : drawn) }
}

function partsOf(config: TrainConfig, tokens: Tokens, speeds: Speeds): Forecast['parts'] {
  const { stepMs, denseStepMs, collectTokensPerSecond, judgeTokensPerSecond, readTokensPerSecond } = speeds
  const steps = trainingSteps(config)
  const dense = denseStepMs === null ? 0 : Math.ceil(DENSE_SHARE * steps)
  const quick = evaluationCount(steps) * Math.min(CURVE_TOKENS, tokens.heldOut)
  const judged = quick + FULL_EVALUATIONS * tokens.heldOut
  const read = readTokensPerSecond === null ? 0 : (tokens.training + tokens.heldOut) / readTokensPerSecond
  return {
    start: speeds.startSeconds + read,
    collect: collectTokensPerSecond === null ? 0 : tokens.collected / collectTokensPerSecond,
    steps: (dense * (denseStepMs ?? 0) + (steps - dense) * stepMs) / 1000,
    judge: judged / judgeTokensPerSecond,
  }
}

/** The most that is held at once. What is held by turns counts once, with the larger of the two. */
function memoryOf(config: TrainConfig, sizes: RunSizes, tokens: Tokens): number {
  const { dIn, parameters, modelBytes, baseBytes, kernels } = sizes
  const { batchTokens, dSae } = config
  const vectors = (count: number) => count * dIn * FLOAT_BYTES
  const poolBytes = vectors(tokens.pool)
  const dense = FLOAT_BYTES * (DENSE_COPIES * parameters + DENSE_MATRICES * batchTokens * dSae)
  const isDenseAtFirst = kernels === null || !hasFixedK(config)
  const checkpoint = FLOAT_BYTES * CHECKPOINT_COPIES * parameters + 2 * poolBytes
  const judge = FLOAT_BYTES * (parameters + 2 * Math.min(BLOCK_ROWS, tokens.heldOut) * dSae)
  const byTurns = Math.max(checkpoint, judge, isDenseAtFirst ? dense : 0)
  const ids = config.activationsId === null ? FLOAT_BYTES * (tokens.training + tokens.heldOut) : 0
  const held = vectors(tokens.heldOut) + vectors(tokens.cached) + vectors(batchTokens) + poolBytes + ids
  return baseBytes + PASSING_BYTES + modelBytes + (kernels?.most ?? 0) + held + byTurns
}

/** A checkpoint with its pool, the finished autoencoder beside the one of the last checkpoint, and the curves. */
function diskOf(config: TrainConfig, { dIn, parameters }: RunSizes, { pool }: Tokens): number {
  const state = STATE_COPIES * parameters + pool * (dIn + 1) + 2 * config.dSae
  return FLOAT_BYTES * (state + 2 * parameters) + POINT_BYTES * mostPoints(trainingSteps(config))
}

/**
 * seconds = start + collected tokens / their speed + steps x step time + judged tokens / their speed, one after the other. Where k is
 * not fixed, the first tenth of the steps counts with the dense step. Passes for the AuxK of dead features, resampling and
 * checkpoints by the clock are left out.
 */
export function forecastOf(
  config: TrainConfig,
  speeds: Speeds,
  sizes: RunSizes,
  free: Pick<Forecast, 'freeMemoryBytes' | 'freeDiskBytes' | 'load'>,
): Forecast {
  const { route, stepMs, denseStepMs, collectTokensPerSecond } = speeds
  const tokens = tokensOf(config, sizes)
  const parts = partsOf(config, tokens, speeds)
  return {
    ...{ route, stepMs, denseStepMs, collectTokensPerSecond, parts },
    seconds: parts.start + parts.collect + parts.steps + parts.judge,
    memoryBytes: memoryOf(config, sizes, tokens),
    diskBytes: diskOf(config, sizes, tokens),
    collectedTokens: tokens.collected,
    ...free,
  }
}
