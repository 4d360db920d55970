/** The training loop of one dictionary, a step at a time, so that its caller can report, save, stop and train others on the same batch. */
import type { MetricPoint, SaeSummary } from '../../../shared/domain'
import { AppError } from '../../../shared/errors'
import { CURVE_TOKENS } from '../../../shared/held-out'
import { trainingSteps } from '../../../shared/presets'
import { findsThreshold } from '../../../shared/training-rules'
import type { HeldOutFigures, HeldOutJudge } from '../measure/held-out'
import type { Architecture, BatchFigures, EncodeSettings, SaeWeights, StepSettings } from '../sae/architecture'
import { tf } from '../tf'
import { toTensors } from './dense-route'
import { geometricMedian, meanOf } from './initial-bias'
import { Random } from './random'
import { isResampleStep, resample } from './resample'
import { isEvaluationStep, isReportStep, learningRateAt } from './schedules'
import { deadWindowOf, encodeSettings, requirePossible, stepSettings } from './settings'
import type { TrainerConfig } from './settings'
import { Steps } from './steps'
import type { OpenSparse, StepState } from './steps'
import { dataOf } from './weights'

/** The paper clips the joint gradient norm here. */
const CLIP_NORM = 1
/** Normalised inputs have a mean square norm of dIn, so an error so many times larger has left all sense. */
const DIVERGED_TIMES = 1000
/** How fast the threshold of batchtopk follows the smallest activation of the batches; SAELens's rate. */
const THRESHOLD_RATE = 0.01

/** Numbers that pick unrelated random streams out of one seed. */
export const RANDOM_STREAMS = { initialise: 1, passes: 2, buffer: 3, estimate: 4, resample: 5 }

export type TrainerOptions = {
  architecture: Architecture
  dIn: number
  config: TrainerConfig
  heldOut: HeldOutJudge
  /** Opens the sparse kernels; null where there are none. */
  openSparse: OpenSparse
}

/** All that a resumed trainer needs, besides its options. */
export type TrainerState = {
  step: number
  steps: StepState
  /** [dSae] */
  silentFor: Float64Array
  threshold: number
}

type TrainerSummary = Omit<SaeSummary, 'scale' | 'droppedTokens'>

export class Trainer {
  readonly steps: number
  readonly deadWindow: number
  /** Updates made. */
  step = 0
  /** Tokens since each feature last fired [dSae]; float64 holds them exactly. */
  private silentFor: Float64Array
  /** Moving average of the smallest activation of a batch; what batchtopk cuts at when it is used. */
  private threshold = 0
  private readonly route: Steps

  /** @throws AppError k-too-large, widths-invalid */
  constructor(private readonly options: TrainerOptions) {
    const { architecture, dIn, config, openSparse } = options
    requirePossible(config)
    this.steps = trainingSteps(config)
    this.deadWindow = deadWindowOf(config)
    this.silentFor = new Float64Array(config.dSae)
    const shape = { dIn, dSae: config.dSae }
    const random = Random.fromSeed(config.seed, RANDOM_STREAMS.initialise)
    this.route = new Steps(architecture, shape, architecture.initialise(shape, config, random), openSparse)
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

  /** How the parameters are used outside of training. */
  get encodeSettings(): EncodeSettings {
    return encodeSettings(this.options.config, this.threshold)
  }

  /**
   * One step on a batch [batchTokens, dIn] of normalised activations. Returns the point of the parameters as they were before it, when
   * this step is to be reported.
   * @throws AppError training-diverged, before anything is changed
   */
  advance(batch: Float32Array): MetricPoint | null {
    const { config } = this.options
    if (this.step === 0) this.startBias(batch)
    if (config.resampleDead && isResampleStep(this.step, this.steps)) this.resampleDead(batch)
    const reports = isReportStep(this.step, this.steps)
    const held = reports ? this.evaluateAt(this.step) : null
    const learningRate = learningRateAt(this.step, this.steps, config.learningRate)
    const figures = this.route.step(batch, this.settings(), {
      learningRate,
      clipNorm: CLIP_NORM,
      update: this.step + 1,
      unitDecoder: this.options.architecture.hasUnitDecoder,
      check: (found) => this.requireSense(found),
    })
    const point = reports ? this.pointOf(figures, held) : null
    this.count(figures)
    return point
  }

  /**
   * The point after the last step made, measured like the others: one more batch is looked at, and the same held-out tokens. It has no
   * gradient norm, since no update follows. The summary is over all held-out tokens.
   */
  lastPoint(batch: Float32Array): { point: MetricPoint; summary: TrainerSummary } {
    const figures = { ...this.route.look(batch, this.settings()), gradientNorm: null, route: this.route.route }
    this.requireSense(figures)
    return { point: this.pointOf(figures, this.evaluate(CURVE_TOKENS)), summary: this.summary() }
  }

  /** Figures of the parameters as they are, over all held-out tokens. */
  summary(): TrainerSummary {
    return this.summaryOf(this.evaluate())
  }

  /** Share of the held-out tokens that each feature fires on [dSae]. */
  firingShare(): Float64Array {
    const { architecture, heldOut, config } = this.options
    const parameters = toTensors(this.route.parameters())
    const share = heldOut.firingShare(architecture, parameters, this.encodeSettings, config.dSae)
    tf.dispose(Object.values(parameters))
    return share
  }

  /** Copies of the parameters, in normalised units. */
  weights(): SaeWeights {
    return this.route.parameters()
  }

  /** Copies. */
  state(): TrainerState {
    const { step, silentFor, threshold } = this
    return { step, steps: this.route.state(), silentFor: silentFor.slice(), threshold }
  }

  /** Goes on where another trainer of the same options stood. */
  restore({ step, steps, silentFor, threshold }: TrainerState): void {
    this.step = step
    this.silentFor = silentFor.slice()
    this.threshold = threshold
    this.route.restore(steps)
  }

  dispose(): void {
    this.route.dispose()
  }

  private settings(): StepSettings {
    const { config, dIn } = this.options
    return stepSettings(config, { dIn }, { step: this.step, steps: this.steps, deadMask: this.deadMask() })
  }

  /** [dSae] 1 for features silent over a whole window; null when there are none. */
  private deadMask(): Uint8Array | null {
    const mask = Uint8Array.from(this.silentFor, (tokens) => (tokens >= this.deadWindow ? 1 : 0))
    return mask.includes(1) ? mask : null
  }

  private requireSense({ losses }: BatchFigures): void {
    const isSense = Number.isFinite(losses.total) && losses.mse <= DIVERGED_TIMES * this.options.dIn
    if (!isSense) throw new AppError('training-diverged', { step: this.step })
  }

  private count({ featureSums, smallestActive }: BatchFigures): void {
    const { batchTokens } = this.options.config
    featureSums.forEach((sum, i) => {
      this.silentFor[i] = sum > 0 ? 0 : (this.silentFor[i] ?? 0) + batchTokens
    })
    // A plain mean until there are batches enough for a moving one.
    const rate = Math.max(THRESHOLD_RATE, 1 / (this.step + 1))
    this.threshold += rate * (smallestActive - this.threshold)
    this.step += 1
  }

  /** Puts b_dec in the middle of the first batch, for architectures that subtract it from their input unless told otherwise. */
  private startBias(batch: Float32Array): void {
    const { architecture, config, dIn } = this.options
    const start = config.bDecInit ?? (architecture.shiftsInput ? 'geometric_median' : 'zero')
    if (start === 'zero') return
    const state = this.route.state()
    dataOf(state.parameters, 'bDec').set(start === 'mean' ? meanOf(batch, dIn) : geometricMedian(batch, dIn))
    this.route.restore(state)
  }

  private resampleDead(batch: Float32Array): void {
    const { config, architecture, dIn } = this.options
    const dead = this.deadMask()
    if (!dead) return
    const state = this.route.state()
    const parameters = toTensors(state.parameters)
    const rows = batch.length / dIn
    const errors = tf.tidy(() => {
      const saeIn = tf.tensor2d(batch, [rows, dIn])
      const saeOut = architecture.decode(parameters, architecture.encode(parameters, saeIn, this.encodeSettings))
      return tf.sum(tf.square(tf.sub(saeOut, saeIn)), 1)
    })
    const losses = Float64Array.from(errors.dataSync())
    tf.dispose([errors, ...Object.values(parameters)])
    const random = Random.fromSeed(config.seed, RANDOM_STREAMS.resample + this.step)
    resample(state, { dIn, dSae: config.dSae }, { vectors: batch, losses }, { dead, random })
    this.route.restore(state)
    dead.forEach((isDead, i) => isDead && (this.silentFor[i] = 0))
  }

  private evaluateAt(step: number): HeldOutFigures | null {
    // Before the first step the batch-wise kinds have no threshold to be used with.
    const hasThreshold = step > 0 || !findsThreshold(this.options.architecture.name)
    return isEvaluationStep(step, this.steps) && hasThreshold ? this.evaluate(CURVE_TOKENS) : null
  }

  private evaluate(limit?: number): HeldOutFigures {
    const { architecture, heldOut } = this.options
    const parameters = toTensors(this.route.parameters())
    const figures = heldOut.judge(architecture, parameters, this.encodeSettings, limit)
    tf.dispose(Object.values(parameters))
    return figures
  }

  private pointOf(
    figures: BatchFigures & Pick<MetricPoint, 'gradientNorm' | 'route'>,
    held: HeldOutFigures | null,
  ): MetricPoint {
    const { losses, l0, l1, gradientNorm, route } = figures
    return {
      step: this.step,
      tokens: this.tokens,
      loss: losses.total,
      mse: losses.mse,
      aux: losses.aux,
      ...{ l0, l1, gradientNorm, route },
      explainedVariance: held?.explainedVariance ?? null,
      heldOutL0: held?.l0 ?? null,
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
