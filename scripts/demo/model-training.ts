/** The training of the demo's model: Adam on random windows, and the loss of the same held-out windows. */
import { adamFactors, adamUpdate, clipScale } from '../../src/main/engine/train/adam'
import { Random } from '../../src/main/engine/train/random'
import { drawWindows } from './texts'
import { lossAndGradients } from './trainable-model'
import type { Parameters } from './trainable-model'
import { zerosOf } from './training-state'
import type { TrainingState } from './training-state'

/** Tokens of a window besides the special one. */
export const WINDOW = 256
const CLIP_NORM = 1
/** Held-out windows. */
const JUDGED_ROWS = 96
const ROWS_AT_ONCE = 16

/** A training that has not made a step. */
export function beginTraining(parameters: Parameters): TrainingState {
  const progress = { step: 0, update: 0, tokens: 0, random: Random.fromSeed(0, 1).state }
  return { progress, parameters, first: zerosOf(parameters), second: zerosOf(parameters) }
}

/** One update of all parameters in place. @returns the joint norm of the gradients before it was clipped */
function update({ progress, parameters, first, second }: TrainingState, gradients: Parameters, rate: number): number {
  let squares = 0
  // for-of over typed arrays is several times slower.
  for (const { data } of gradients.values()) squares = data.reduce((sum, g) => sum + g * g, squares)
  const norm = Math.sqrt(squares)
  const factors = adamFactors(rate, progress.update + 1, clipScale(norm, CLIP_NORM))
  for (const [name, { data }] of parameters) {
    const [m, v, gradient] = [first.get(name), second.get(name), gradients.get(name)]
    if (!m || !v || !gradient) throw new Error(`${name} has no moments or no gradient`)
    adamUpdate({ parameter: data, first: m.data, second: v.data }, gradient.data, factors)
  }
  return norm
}

/**
 * One step on `rows` windows of `ids`; changes the state.
 * @returns loss in nats per token and the norm of the gradient
 * @throws Error when the loss is not a finite number; nothing is changed then
 */
export function trainingStep(
  json: object,
  state: TrainingState,
  { ids, rows, rate }: { ids: Uint16Array; rows: number; rate: number },
): { loss: number; norm: number } {
  const random = new Random(state.progress.random)
  const windows = { ids: drawWindows(ids, random, { rows, length: WINDOW }), rows }
  const { loss, gradients } = lossAndGradients(json, state.parameters, windows)
  const { step, update: updates, tokens } = state.progress
  if (!Number.isFinite(loss)) throw new Error(`the loss of step ${step} is ${loss}`)
  const norm = update(state, gradients, rate)
  state.progress = { step: step + 1, update: updates + 1, tokens: tokens + rows * WINDOW, random: random.state }
  return { loss, norm }
}

/** Mean loss of held-out windows, always the same, in nats per token. @param windows a multiple of 16, or less than 16 */
export function judge(json: object, parameters: Parameters, heldOut: Uint16Array, windows = JUDGED_ROWS): number {
  const random = Random.fromSeed(0, 2)
  let sum = 0
  const rows = Math.min(windows, ROWS_AT_ONCE)
  for (let done = 0; done < windows; done += rows) {
    const ids = drawWindows(heldOut, random, { rows, length: WINDOW })
    sum += lossAndGradients(json, parameters, { ids, rows }).loss
  }
  return (sum * rows) / windows
}
