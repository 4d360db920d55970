/**
 * Training steps on the active features alone. Only the encoder's product is dense: the kernels' own, which writes active features down
 * tile by tile, or TensorFlow's where that is the backend. Decoding, errors and all gradients follow the lists, and one pass of Adam
 * moves everything. Results do not depend on the number of threads: rows and features are divided, never summed across threads.
 */
import type { Architecture, BatchFigures, SaeShape, SaeWeights, StepSettings } from '../sae/architecture'
import { adamFactors, clipScale } from '../train/adam'
import { TOO_DENSE } from '../train/route'
import type { Route, RouteState, StepFigures, UpdateSettings } from '../train/route'
import * as places from './assembly/places'
import { Encoder } from './encoder'
import { KernelMemory } from './kernel-memory'
import { writeSettings, writeSizes } from './kernel-settings'
import { FIRST_MOMENT, GRADIENT, KernelWeights, PARAMETER, SECOND_MOMENT } from './kernel-weights'
import { bandRowsOf, paddedIn, panelsOf } from './layout'
import type { KernelSizes } from './layout'
import { packRows } from './panels'
import { KernelPool } from './pool'

/** topk: the share of rows that may be looked at twice. Kernels that multiply themselves do six rows' work for one such row. */
const SHORT_SHARE = { native: 0.02, own: 0.001 }

export class SparseRoute implements Route {
  readonly name = 'sparse'
  readonly mostActive: number
  private readonly memory: KernelMemory
  private readonly weights: KernelWeights
  private readonly pool: KernelPool
  private readonly encoder: Encoder
  /** topk: rows are not looked at below this at first; those left with too few are looked at again, so only speed depends on it. */
  private rowLimit = 0

  constructor(
    private readonly architecture: Architecture,
    private readonly shape: SaeShape,
    private readonly sizes: KernelSizes,
    parameters: SaeWeights,
  ) {
    this.mostActive = sizes.mostActive
    this.memory = new KernelMemory(sizes)
    this.weights = new KernelWeights(this.memory, shape, architecture.parameterNames)
    this.pool = new KernelPool(this.memory.memory, sizes.threads)
    this.encoder = new Encoder(this.memory, this.pool, sizes)
    writeSizes(this.memory, sizes, architecture)
    this.weights.put(parameters, PARAMETER)
    this.afterChange()
  }

  step(batch: Float32Array, settings: StepSettings, update: UpdateSettings): StepFigures | typeof TOO_DENSE {
    const figures = this.forward(batch, settings)
    if (figures === TOO_DENSE) return figures
    update.check(figures)
    const gradientNorm = this.backward()
    this.move(update, clipScale(gradientNorm, update.clipNorm))
    figures.featureSums.set(this.memory.float32(places.FEATURE_SUMS, this.shape.dSae))
    return { ...figures, gradientNorm }
  }

  gradients(
    batch: Float32Array,
    settings: StepSettings,
  ): { figures: BatchFigures; gradients: SaeWeights } | typeof TOO_DENSE {
    const figures = this.forward(batch, settings)
    if (figures === TOO_DENSE) return figures
    this.backward()
    figures.featureSums.set(this.memory.float32(places.FEATURE_SUMS, this.shape.dSae))
    const gradients = this.weights.take(GRADIENT)
    this.clearUntouched(gradients)
    return { figures, gradients }
  }

  parameters(): SaeWeights {
    return this.weights.take(PARAMETER)
  }

  state(): RouteState {
    const { weights } = this
    return {
      parameters: weights.take(PARAMETER),
      first: weights.take(FIRST_MOMENT),
      second: weights.take(SECOND_MOMENT),
    }
  }

  restore({ parameters, first, second }: RouteState): void {
    this.weights.put(parameters, PARAMETER)
    this.weights.put(first, FIRST_MOMENT)
    this.weights.put(second, SECOND_MOMENT)
    this.afterChange()
  }

  dispose(): void {
    this.pool.dispose()
  }

  /** Norms of decoder rows that did not come from an update. */
  private afterChange(): void {
    this.memory.setInt(places.UNIT_DECODER, 0)
    this.pool.run(places.MEASURE)
  }

  /** Encodes, selects, decodes and compares. */
  private forward(batch: Float32Array, settings: StepSettings): BatchFigures | typeof TOO_DENSE {
    const rows = batch.length / this.shape.dIn
    if (rows > this.sizes.batch) throw new Error(`the kernels were opened for ${this.sizes.batch} rows, not ${rows}`)
    writeSettings(this.memory, settings, { rows, sizes: this.sizes, isRowWise: this.architecture.name === 'topk' })
    this.writeInput(batch)
    this.takeBand(0, rows)
    if (this.architecture.name === 'topk') this.memory.setFloat(places.TAU, this.rowLimit)
    const isBatchWise = this.sizes.kind === places.LARGEST && this.architecture.name !== 'topk'
    const fits = this.encoder.prepared(() =>
      isBatchWise ? this.encoder.selectAndFinish(settings.k * rows) : this.finishBands(rows),
    )
    if (!fits) return TOO_DENSE
    if (this.architecture.name === 'topk') this.rowLimit = this.limitOfRows(settings.k, rows)
    return this.figures(settings, rows)
  }

  /** Band by band: a band's lists make room for the next one's, so that all but the last leave their share of the gradients at once. */
  private finishBands(rows: number): boolean {
    const bandRows = bandRowsOf(this.sizes)
    for (let first = 0; first < rows; first += bandRows) {
      const end = Math.min(rows, first + bandRows)
      this.takeBand(first, end)
      if (!this.encoder.encodeAndFinish()) return false
      if (end < rows) this.pool.run(places.WEIGHT_GRADIENTS)
    }
    return true
  }

  private takeBand(first: number, end: number): void {
    const { dIn, groups, kind, mostActive } = this.sizes
    const bytes = 4 * paddedIn(dIn)
    const gateResidual = kind === places.GATED ? bytes : 0
    this.memory.moveBand(first, { residual: bytes * groups, gateResidual, entries: mostActive })
    this.memory.setInt(places.BAND_FIRST, first)
    this.memory.setInt(places.BAND_END, end)
  }

  /** The batch, less b_dec where the architecture shifts its input. */
  private writeInput(batch: Float32Array): void {
    const { dIn } = this.shape
    const rows = batch.length / dIn
    packRows(this.memory.float32(places.INPUT, rows * paddedIn(dIn)), batch, dIn)
    if (this.architecture.shiftsInput) this.pool.run(places.SHIFT_INPUT)
  }

  /** What all but a few rows of the last batch had k activations above; 0 when more than these few have fewer than k anyway. */
  private limitOfRows(k: number, rows: number): number {
    const perRow = this.memory.float64(places.ROW_FIGURES, places.FIGURES * rows)
    const smallest = new Float64Array(rows)
    for (let row = 0, at = 0; row < rows; row++, at += places.FIGURES) {
      smallest[row] = perRow[at + 4] === k ? (perRow[at + 3] ?? 0) : 0
    }
    const share = this.sizes.isNative ? SHORT_SHARE.native : SHORT_SHARE.own
    return smallest.sort()[Math.floor(share * rows)] ?? 0
  }

  /** Sums the rows' figures in their order. */
  private figures({ targetL0, sparsity, auxCoefficient, bandwidth }: StepSettings, rows: number): BatchFigures {
    const sums = [0, 0, 0, 0, 0, 0]
    const perRow = this.memory.float64(places.ROW_FIGURES, places.FIGURES * rows)
    let smallest = Number.POSITIVE_INFINITY
    for (let row = 0, at = 0; row < rows; row++) {
      for (let figure = 0; figure < places.FIGURES; figure++, at++) {
        if (figure === 3) smallest = Math.min(smallest, perRow[at] ?? 0)
        else sums[figure] = (sums[figure] ?? 0) + (perRow[at] ?? 0)
      }
    }
    const [mse = 0, l1 = 0, auxError = 0, , l0 = 0, penalty = 0] = sums.map((sum) => sum / rows)
    const { kind } = this.sizes
    const hasAux = this.memory.int(places.HAS_AUX) !== 0 || kind === places.GATED
    const distance = targetL0 === null ? 0 : l0 / targetL0 - 1
    const term = kind === places.LARGEST ? 0 : targetL0 === null ? penalty : distance * distance
    const countFactor = targetL0 === null ? sparsity : (2 * sparsity * distance) / targetL0
    this.memory.setFloat(places.COUNT_SCALE, -countFactor / (bandwidth * rows))
    const aux = hasAux ? auxError : null
    const total = mse + sparsity * term + (kind === places.GATED ? 1 : auxCoefficient) * (aux ?? 0)
    return {
      losses: { mse, sparsity: term, aux, total },
      ...{ l1, l0, featureSums: new Float32Array(this.shape.dSae) },
      smallestActive: Number.isFinite(smallest) ? smallest : 0,
    }
  }

  /** Gradients by the last band, and with it of everything; returns their joint norm. */
  private backward(): number {
    this.pool.run(places.WEIGHT_GRADIENTS)
    this.pool.run(places.BIAS_GRADIENTS)
    let squares = 0
    for (const square of this.memory.float64(places.PANEL_SQUARES, panelsOf(this.shape.dSae))) squares += square
    for (const g of this.weights.bDec(GRADIENT)) squares += g * g
    return Math.sqrt(squares)
  }

  private move({ learningRate, update, unitDecoder }: UpdateSettings, scale: number): void {
    const factors = adamFactors(learningRate, update, scale)
    this.memory.setFloat(places.GRADIENT_SCALE, factors.scale)
    this.memory.setFloat(places.RATE, factors.rate)
    this.memory.setFloat(places.CORRECTION, factors.correction)
    this.memory.setInt(places.UNIT_DECODER, unitDecoder ? 1 : 0)
    this.pool.run(places.UPDATE)
  }

  /** Decoder rows of features that were not active hold what an earlier batch left. */
  private clearUntouched(gradients: SaeWeights): void {
    const { dIn, dSae } = this.shape
    const touched = this.memory.int32(places.TOUCHED, dSae)
    const rows = gradients.wDec?.data
    touched.forEach((isTouched, i) => isTouched === 0 && rows?.fill(0, i * dIn, (i + 1) * dIn))
  }
}
