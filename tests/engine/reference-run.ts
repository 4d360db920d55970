/** What is asked of a float64 reference: every tensor of a pass, steered logits, gradients by differences, greedy text. */
import { meanOf } from './goldens'
import type { Reference } from './reference-model'

type Rows = ReturnType<Reference['embed']>

const flat = (rows: Rows | number[]): number[] =>
  rows.flatMap((row) => (typeof row === 'number' ? [row] : Array.from(row)))

function runFrom(model: Reference, x: Rows, { first, steer }: { first: number; steer?: Steer | undefined }): Rows {
  let rows = x
  for (let layer = first; layer < model.layers; layer++) {
    rows = model.block(rows, layer, () => undefined)
    if (steer?.layer === layer) rows = rows.map((row) => row.map((value, i) => value + (steer.vector[i] ?? Number.NaN)))
  }
  return model.logits(rows)
}

/** A vector that is added to the residual stream after a block, at every position. */
export type Steer = { layer: number; vector: ArrayLike<number> }

/** Every tensor of a pass by the name it has in the fixtures; `ce` in nats. */
export function runReference(model: Reference, ids: readonly number[]): Map<string, number[]> {
  const tensors = new Map<string, number[]>()
  const keep = (name: string, rows: Rows | number[]) => void tensors.set(name, flat(rows))
  let rows = model.embed(ids)
  keep('embed', rows)
  for (let layer = 0; layer < model.layers; layer++) {
    rows = model.block(rows, layer, keep)
    keep(`resid_post.${layer}`, rows)
  }
  const logits = model.logits(rows)
  keep('logits', logits)
  const losses = ids.slice(1).map((id, t) => {
    const row = logits[t]!
    const largest = Math.max(...row)
    return Math.log(row.reduce((sum, value) => sum + Math.exp(value - largest), 0)) + largest - row[id]!
  })
  keep('ce', losses)
  return tensors
}

export const steeredLogits = (model: Reference, ids: readonly number[], steer?: Steer): number[] =>
  flat(runFrom(model, model.embed(ids), { first: 0, steer }))

/** Which scalar is differentiated: the difference of two logits at one position. */
export type Difference = { t: number; a: number; b: number }

const STEP = 1e-4

/**
 * d (logits[t, a] - logits[t, b]) / d (residual after a block), by central differences: a step of 1e-4 in float64 leaves errors
 * near 1e-8 of the gradient.
 * @returns [time, width] row by row, and the difference of logits itself
 */
export function gradientOf(model: Reference, ids: readonly number[], layer: number, { t, a, b }: Difference) {
  let resid = model.embed(ids)
  for (let l = 0; l <= layer; l++) resid = model.block(resid, l, () => undefined)
  const value = () => {
    const row = runFrom(model, resid, { first: layer + 1 })[t]!
    return row[a]! - row[b]!
  }
  const gradient = resid.flatMap((row) =>
    Array.from(row, (own, i) => {
      const at = (x: number) => {
        row[i] = x
        return value()
      }
      const slope = (at(own + STEP) - at(own - STEP)) / (2 * STEP)
      row[i] = own
      return slope
    }),
  )
  return { gradient, logitDifference: value() }
}

/** The most probable tokens one after another, and the least lead that one had over the next, as a share of the largest logit. */
export function greedyText(model: Reference, ids: readonly number[], count: number, steer?: Steer) {
  const text = [...ids]
  let lead = Number.POSITIVE_INFINITY
  for (let made = 0; made < count; made++) {
    const last = runFrom(model, model.embed(text), { first: 0, steer }).at(-1)!
    const order = Array.from(last.keys()).sort((x, y) => last[y]! - last[x]!)
    const [best = 0, second = 0] = order
    lead = Math.min(lead, (last[best]! - last[second]!) / Math.max(...last.map(Math.abs)))
    text.push(best)
  }
  return { tokens: text.slice(ids.length), lead }
}

export const meanLoss = (tensors: Map<string, number[]>) => meanOf(tensors.get('ce') ?? [])
