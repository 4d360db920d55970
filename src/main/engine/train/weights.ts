/** Small operations on weights as plain arrays. */
import type { SaeWeights } from '../sae/architecture'

const mapWeights = (weights: SaeWeights, map: (data: Float32Array) => Float32Array): SaeWeights =>
  Object.fromEntries(
    Object.entries(weights).map(([name, { shape, data }]) => [name, { shape: [...shape], data: map(data) }]),
  )

/** The values of one weight. */
export function dataOf(weights: SaeWeights, name: string): Float32Array {
  const weight = weights[name]
  if (!weight) throw new Error(`weight ${name} is missing`)
  return weight.data
}

export const copyWeights = (weights: SaeWeights): SaeWeights => mapWeights(weights, (data) => data.slice())

export const zerosLike = (weights: SaeWeights): SaeWeights =>
  mapWeights(weights, ({ length }) => new Float32Array(length))
