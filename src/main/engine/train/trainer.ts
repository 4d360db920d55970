/** The training loop of one dictionary, a step at a time, so that its caller can report, save and stop between steps. */
import type { MetricPoint, SaeSummary, TrainConfig } from '../../../shared/domain'
import { AppError } from '../../../shared/errors'
import { trainingSteps } from '../../../shared/presets'
import type { HeldOutFigures, HeldOutJudge } from '../measure/held-out'
import type { Architecture, NamedTensors, SaeWeights, StepResult } from '../sae/architecture'
import { tf } from '../tf'
import { Adam } from './adam'
import { Random } from './random'
import { isEvaluationStep, isReportStep, l1At, learningRateAt } from './schedules'

/** The paper clips the joint gradient norm here. */
const CLIP_NORM = 1
/** Held-out tokens of the evaluations along the way; the last one takes all. */
const QUICK_TOKENS = 8192
/** A feature is dead when silent for this many tokens ("Scaling Monosemanticity"), or for a fifth of a shorter run. */
const DEAD_TOKENS = 1e7
const DEAD_SHARE = 0.2
/** Normalised inputs have a mean square norm of dIn, so an error so many times larger has left all sense. */
const DIVERGED_TIMES = 1000

/** Numbers that pick unrelated random streams out of one seed. */
export const RANDOM_STREAMS = { initialise: 1, passes: 2, buffer: 3, estimate: 4 }

export type TrainerOptions = {
  architecture: Architecture
  dIn: number
  config: Pick<TrainConfig, 'dSae' | 'l1Coefficient' | 'learningRate' | 'batchTokens' | 'trainingTokens' | 'seed'>
  /** Fills a batch [batchTokens, dIn] of normalised activations. */
  nextBatch: (batch: Float32Array) => void
  heldOut: HeldOutJudge
}

type TrainerSummary = Omit<SaeSummary, 'scale' | 'droppedTokens'>

export class Trainer {
  readonly steps: number
  readonly parameters: NamedTensors
  readonly adam: Adam
  /** Tokens since each feature last fired [dSae]; float64 holds them exactly. */
  readonly silentFor: Float64Array
  readonly deadWindow: number
  /** Updates made. */
  step = 0
  private readonly batch: Float32Array

  constructor(private readonly options: TrainerOptions) {
    const { architecture, dIn, config } = options
    this.steps = trainingSteps(config)
    const random = Random.fromSeed(config.seed, RANDOM_STREAMS.initialise)
    this.parameters = architecture.initialise({ dIn, dSae: config.dSae }, random)
    this.adam = new Adam(this.parameters)
    this.silentFor = new Float64Array(config.dSae)
    this.deadWindow = Math.min(DEAD_TOKENS, Math.ceil(DEAD_SHARE * this.steps * config.batchTokens))
    this.batch = new Float32Array(config.batchTokens * dIn)
  }

  get tokens(): number {
    return this.step * this.options.config.batchTokens
  }

  get isDone(): boolean {
    return this.step >= this.steps
  }

  /** Tokens that `deadFraction` looks at: fewer than the window at the start of a run. */
  get deadWindowTokens(): number {
    return Math.min(this.deadWindow, this.tokens)
  }

  /** Share of features silent over the last {@link deadWindowTokens}. */
  deadFraction(): number {
    const window = this.deadWindowTokens
    if (window === 0) return 0
    return this.silentFor.reduce((sum, tokens) => sum + (tokens >= window ? 1 : 0), 0) / this.silentFor.length
  }

  /**
   * One step. Returns the point of the parameters as they were before it, when this step is to be reported.
   * @throws AppError training-diverged
   */
  advance(): MetricPoint | null {
    const reports = isReportStep(this.step, this.steps) || isEvaluationStep(this.step, this.steps)
    const result = this.computeStep(reports)
    const point = reports ? this.pointOf(result, this.evaluateAt(this.step)) : null
    const learningRate = learningRateAt(this.step, this.steps, this.options.config.learningRate)
    this.adam.update(this.parameters, result.gradients, { learningRate, clipNorm: CLIP_NORM })
    this.step += 1
    const { batchTokens } = this.options.config
    result.featureSums.forEach((sum, i) => {
      this.silentFor[i] = sum > 0 ? 0 : (this.silentFor[i] ?? 0) + batchTokens
    })
    return point
  }

  /** The point after the last step made: one more batch is looked at, and all held-out tokens. */
  lastPoint(): { point: MetricPoint; summary: TrainerSummary } {
    const result = this.computeStep(true)
    tf.dispose(result.gradients)
    const figures = this.evaluateAll()
    return { point: this.pointOf(result, figures), summary: this.summaryOf(figures) }
  }

  /** Figures of the parameters as they are, over all held-out tokens. */
  summary(): TrainerSummary {
    return this.summaryOf(this.evaluateAll())
  }

  /** Copies of the parameters. */
  weights(): SaeWeights {
    return toArrays(this.parameters)
  }

  /** Copies of Adam's moments. */
  moments(): { first: SaeWeights; second: SaeWeights } {
    return { first: toArrays(this.adam.first), second: toArrays(this.adam.second) }
  }

  dispose(): void {
    tf.dispose(Object.values(this.parameters))
    this.adam.dispose()
  }

  private computeStep(countActive: boolean): StepResult {
    const { architecture, dIn, config, nextBatch } = this.options
    nextBatch(this.batch)
    const saeIn = tf.tensor2d(this.batch, [config.batchTokens, dIn])
    const l1Coefficient = l1At(this.step, this.steps, config.l1Coefficient)
    const result = architecture.step(this.parameters, saeIn, { l1Coefficient, countActive })
    saeIn.dispose()
    const { total, mse } = result.losses
    if (!Number.isFinite(total) || mse > DIVERGED_TIMES * dIn) {
      tf.dispose(result.gradients)
      throw new AppError('training-diverged', { step: this.step })
    }
    return result
  }

  private evaluateAt(step: number): HeldOutFigures | null {
    if (!isEvaluationStep(step, this.steps)) return null
    return this.options.heldOut.judge(this.options.architecture, this.parameters, QUICK_TOKENS)
  }

  private evaluateAll(): HeldOutFigures {
    return this.options.heldOut.judge(this.options.architecture, this.parameters)
  }

  private pointOf({ losses, l0 }: StepResult, figures: HeldOutFigures | null): MetricPoint {
    return {
      step: this.step,
      tokens: this.tokens,
      loss: losses.total,
      mse: losses.mse,
      l1: losses.l1,
      l0: l0 ?? 0,
      explainedVariance: figures?.explainedVariance ?? null,
      heldOutL0: figures?.l0 ?? null,
      deadFraction: this.deadFraction(),
      learningRate: learningRateAt(this.step, this.steps, this.options.config.learningRate),
    }
  }

  private summaryOf(figures: HeldOutFigures): TrainerSummary {
    return {
      explainedVariance: figures.explainedVariance,
      l0: figures.l0,
      mse: figures.mse,
      deadFraction: this.deadFraction(),
      deadWindowTokens: this.deadWindowTokens,
      heldOutTokens: figures.tokens,
      trainedTokens: this.tokens,
    }
  }
}

function toArrays(tensors: NamedTensors): SaeWeights {
  const arrays: SaeWeights = {}
  for (const [name, tensor] of Object.entries(tensors)) {
    arrays[name] = { shape: tensor.shape, data: Float32Array.from(tensor.dataSync()) }
  }
  return arrays
}
