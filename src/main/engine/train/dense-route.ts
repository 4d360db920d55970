/** Training steps in plain tfjs operations: works for every architecture on every backend, and is what the kernels are held against. */
import type { Architecture, BatchFigures, NamedTensors, SaeShape, SaeWeights, StepSettings } from '../sae/architecture'
import { tf } from '../tf'
import { adamFactors, adamUpdate, clipScale } from './adam'
import { copyWeights, dataOf, zerosLike } from './weights'
import type { Route, RouteState, StepFigures, UpdateSettings } from './route'

/** Below this a decoder row has no direction that could be kept. */
const SMALLEST_NORM = 1e-20

/** Scales the rows of W_dec [dSae, dIn] to norm 1, in place. */
export function normaliseRows(wDec: Float32Array, dIn: number): void {
  for (let at = 0; at < wDec.length; at += dIn) {
    let squares = 0
    for (let j = at; j < at + dIn; j++) squares += (wDec[j] ?? 0) ** 2
    const factor = 1 / Math.max(Math.sqrt(squares), SMALLEST_NORM)
    for (let j = at; j < at + dIn; j++) wDec[j] = (wDec[j] ?? 0) * factor
  }
}

/** Joint norm of all gradients; sums are float64. */
function normOf(gradients: SaeWeights): number {
  let squares = 0
  for (const { data } of Object.values(gradients)) for (const g of data) squares += g * g
  return Math.sqrt(squares)
}

export class DenseRoute implements Route {
  readonly name = 'dense'
  private held: RouteState

  constructor(
    private readonly architecture: Architecture,
    private readonly shape: SaeShape,
    parameters: SaeWeights,
  ) {
    this.held = { parameters: copyWeights(parameters), first: zerosLike(parameters), second: zerosLike(parameters) }
  }

  step(batch: Float32Array, settings: StepSettings, update: UpdateSettings): StepFigures {
    const { figures, gradients } = this.gradients(batch, settings)
    update.check(figures)
    const gradientNorm = normOf(gradients)
    const factors = adamFactors(update.learningRate, update.update, clipScale(gradientNorm, update.clipNorm))
    const { parameters, first, second } = this.held
    for (const name of this.architecture.parameterNames) {
      const moved = { parameter: dataOf(parameters, name), first: dataOf(first, name), second: dataOf(second, name) }
      adamUpdate(moved, dataOf(gradients, name), factors)
    }
    if (update.unitDecoder) normaliseRows(dataOf(parameters, 'wDec'), this.shape.dIn)
    return { ...figures, gradientNorm }
  }

  gradients(batch: Float32Array, settings: StepSettings): { figures: BatchFigures; gradients: SaeWeights } {
    const { dIn } = this.shape
    const tensors = toTensors(this.held.parameters)
    const saeIn = tf.tensor2d(batch, [batch.length / dIn, dIn])
    const { gradients: found, ...figures } = this.architecture.step(tensors, saeIn, settings)
    const gradients = toArrays(found)
    tf.dispose([saeIn, ...Object.values(tensors), ...Object.values(found)])
    return { figures, gradients }
  }

  parameters(): SaeWeights {
    return copyWeights(this.held.parameters)
  }

  state(): RouteState {
    const { parameters, first, second } = this.held
    return { parameters: copyWeights(parameters), first: copyWeights(first), second: copyWeights(second) }
  }

  restore({ parameters, first, second }: RouteState): void {
    this.held = { parameters: copyWeights(parameters), first: copyWeights(first), second: copyWeights(second) }
  }

  dispose(): void {
    this.held = { parameters: {}, first: {}, second: {} }
  }
}

/** Weights in the backend; the tensors are the caller's. */
export function toTensors(weights: SaeWeights): NamedTensors {
  return Object.fromEntries(Object.entries(weights).map(([name, { data, shape }]) => [name, tf.tensor(data, shape)]))
}

function toArrays(tensors: NamedTensors): SaeWeights {
  const entries = Object.entries(tensors).map(
    ([name, tensor]) => [name, { shape: tensor.shape, data: Float32Array.from(tensor.dataSync()) }] as const,
  )
  return Object.fromEntries(entries)
}
