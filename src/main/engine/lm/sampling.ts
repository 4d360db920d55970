/** Picks the next token from logits: the most probable one, or one drawn at a temperature from the most probable share. */
import { Random } from '../train/random'

export type SamplingOptions = {
  /** 0 takes the most probable token; the lowest id wins a tie. */
  temperature: number
  /** Only the fewest tokens, most probable first, whose probabilities reach this share (Holtzman et al. 2020). */
  topP: number
}

/** ln of the sum of exp(logits), in float64. */
export function logSumExp(logits: Float32Array): number {
  let largest = Number.NEGATIVE_INFINITY
  for (const logit of logits) if (logit > largest) largest = logit
  let sum = 0
  for (const logit of logits) sum += Math.exp(logit - largest)
  return largest + Math.log(sum)
}

/** softmax(logits / temperature) in float64 [vocabulary]. */
export function probabilitiesOf(logits: ArrayLike<number>, temperature = 1): Float64Array {
  let largest = Number.NEGATIVE_INFINITY
  const probabilities = Float64Array.from(logits)
  for (const logit of probabilities) if (logit > largest) largest = logit
  let sum = 0
  probabilities.forEach((logit, i) => {
    const weight = Math.exp((logit - largest) / temperature)
    probabilities[i] = weight
    sum += weight
  })
  return probabilities.map((weight) => weight / sum)
}

/** Ids of the `count` largest values, largest first; the lower id goes first in a tie. */
export function largestIds(values: ArrayLike<number>, count: number): number[] {
  const best: number[] = []
  const at = (id: number | undefined) => (id === undefined ? Number.NEGATIVE_INFINITY : (values[id] ?? 0))
  for (let id = 0; id < values.length; id++) {
    if (best.length === count && !(at(id) > at(best[count - 1]))) continue
    let place = best.length
    while (place > 0 && at(best[place - 1]) < at(id)) place -= 1
    best.splice(place, 0, id)
    if (best.length > count) best.pop()
  }
  return best
}

function drawFromShare(probabilities: Float64Array, topP: number, random: Random): number {
  const order = Uint32Array.from(probabilities.keys())
  if (topP < 1) order.sort((a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0) || a - b)
  let share = 0
  let kept = 0
  while (kept < order.length && (kept === 0 || share < topP)) share += probabilities[order[kept++] ?? 0] ?? 0
  let left = random.uniform() * share
  for (let i = 0; i < kept; i++) {
    left -= probabilities[order[i] ?? 0] ?? 0
    if (left < 0) return order[i] ?? 0
  }
  // Rounding may leave a crumb after the last one; the last that can be drawn takes it.
  for (let i = kept - 1; i > 0; i--) if ((probabilities[order[i] ?? 0] ?? 0) > 0) return order[i] ?? 0
  return order[0] ?? 0
}

/**
 * @param logits [vocabulary]
 * @returns the token's id and its probability under the model itself, at temperature 1
 */
export function pickToken(
  logits: Float32Array,
  { temperature, topP }: SamplingOptions,
  random: Random,
): { id: number; probability: number } {
  const [best = 0] = largestIds(logits, 1)
  const id = temperature === 0 ? best : drawFromShare(probabilitiesOf(logits, temperature), topP, random)
  return { id, probability: Math.exp((logits[id] ?? 0) - logSumExp(logits)) }
}
