/** Loss and gradients of the autoencoders in float64 by plain loops, written from their formulas and not for speed. */
import type { LossTerms, SaeShape, SaeWeights, StepSettings } from '../../src/main/engine/sae/architecture'

/** Parameters by name. */
export type Numbers = Record<string, Float64Array>

export type ReferenceStep = {
  losses: LossTerms
  gradients: Numbers
  /** [batch, dSae] */
  featureActs: Float64Array
}

/** What a step is made of; `x` is [batch, dIn]. */
export type ReferenceInput = { shape: SaeShape; weights: Numbers; x: Float64Array; settings: StepSettings }

export const toNumbers = (weights: SaeWeights): Numbers =>
  Object.fromEntries(Object.entries(weights).map(([name, { data }]) => [name, Float64Array.from(data)]))

/** A value that has to be there. */
const at = (values: ArrayLike<number>, index: number): number => values[index] ?? Number.NaN

function weightOf(weights: Numbers, name: string): Float64Array {
  const found = weights[name]
  if (!found) throw new Error(`weight ${name} is missing`)
  return found
}

const batchOf = ({ shape, x }: ReferenceInput) => x.length / shape.dIn

/** x W_enc + b_enc, or of x - b_dec, [batch, dSae]. */
function preOf(input: ReferenceInput, shifts: boolean): Float64Array {
  const { dIn, dSae } = input.shape
  const [wEnc, bEnc, bDec] = ['wEnc', 'bEnc', 'bDec'].map((name) => weightOf(input.weights, name))
  const pre = new Float64Array(batchOf(input) * dSae)
  for (let row = 0; row < batchOf(input); row++) {
    for (let i = 0; i < dSae; i++) {
      let sum = at(bEnc ?? [], i)
      for (let j = 0; j < dIn; j++) {
        sum += (at(input.x, row * dIn + j) - (shifts ? at(bDec ?? [], j) : 0)) * at(wEnc ?? [], j * dSae + i)
      }
      pre[row * dSae + i] = sum
    }
  }
  return pre
}

/** f[:width] W_dec[:width] [batch, dIn]. */
function decodeFirst(input: ReferenceInput, featureActs: Float64Array, width: number): Float64Array {
  const { dIn, dSae } = input.shape
  const wDec = weightOf(input.weights, 'wDec')
  const out = new Float64Array(input.x.length)
  out.forEach((_, place) => {
    const [row, j] = [Math.floor(place / dIn), place % dIn]
    let sum = 0
    for (let i = 0; i < width; i++) sum += at(featureActs, row * dSae + i) * at(wDec, i * dIn + j)
    out[place] = sum
  })
  return out
}

/** xhat - x of the first features [batch, dIn]. */
function errorOf(input: ReferenceInput, featureActs: Float64Array, width = input.shape.dSae): Float64Array {
  const bDec = weightOf(input.weights, 'bDec')
  return decodeFirst(input, featureActs, width).map((y, p) => y + at(bDec, p % input.shape.dIn) - at(input.x, p))
}

const squares = (values: Float64Array) => values.reduce((sum, value) => sum + value * value, 0)

/** The k largest above zero of those places; of equal ones the lower place. */
function largest(values: Float64Array, places: number[], k: number): number[] {
  const candidates = places.filter((place) => at(values, place) > 0)
  return candidates.sort((a, b) => at(values, b) - at(values, a) || a - b).slice(0, k)
}

function only(values: Float64Array, places: number[]): Float64Array {
  const kept = new Float64Array(values.length)
  for (const place of places) kept[place] = at(values, place)
  return kept
}

const numbersFrom = (start: number, count: number) => Array.from({ length: count }, (_, i) => start + i)

/** The k largest of each row, of the allowed features. */
function largestOfRows(values: Float64Array, dSae: number, k: number, isAllowed: (i: number) => boolean): Float64Array {
  const rows = numbersFrom(0, values.length / dSae)
  return only(
    values,
    rows.flatMap((row) =>
      largest(
        values,
        numbersFrom(row * dSae, dSae).filter((p) => isAllowed(p % dSae)),
        k,
      ),
    ),
  )
}

/** Gradients that start at zero. */
const zeros = (weights: Numbers): Numbers =>
  Object.fromEntries(Object.entries(weights).map(([name, { length }]) => [name, new Float64Array(length)]))

const add = (values: Float64Array, index: number, more: number) => (values[index] = at(values, index) + more)

/** Adds what dL/dy of y = f[:width] W_dec[:width] gives W_dec, and returns dL/df [batch, dSae]. */
function backThroughDecoder(
  input: ReferenceInput,
  { featureActs, width, dOut }: { featureActs: Float64Array; width: number; dOut: Float64Array },
  gradients: Numbers,
): Float64Array {
  const { dIn, dSae } = input.shape
  const wDec = weightOf(input.weights, 'wDec')
  const featureGradient = new Float64Array(featureActs.length)
  for (let place = 0; place < featureActs.length; place++) {
    const [row, i] = [Math.floor(place / dSae), place % dSae]
    if (i >= width) continue
    for (let j = 0; j < dIn; j++) {
      add(featureGradient, place, at(dOut, row * dIn + j) * at(wDec, i * dIn + j))
      add(weightOf(gradients, 'wDec'), i * dIn + j, at(featureActs, place) * at(dOut, row * dIn + j))
    }
  }
  return featureGradient
}

/** Adds what dL/dpre gives W_enc, b_enc and, through the shift of the input, b_dec. */
function backThroughEncoder(input: ReferenceInput, dPre: Float64Array, gradients: Numbers, shifts: boolean): void {
  const { dIn, dSae } = input.shape
  const [wEnc, bDec] = [weightOf(input.weights, 'wEnc'), weightOf(input.weights, 'bDec')]
  dPre.forEach((d, place) => {
    const [row, i] = [Math.floor(place / dSae), place % dSae]
    add(weightOf(gradients, 'bEnc'), i, d)
    for (let j = 0; j < dIn; j++) {
      const shift = shifts ? at(bDec, j) : 0
      add(weightOf(gradients, 'wEnc'), j * dSae + i, d * (at(input.x, row * dIn + j) - shift))
      if (shifts) add(weightOf(gradients, 'bDec'), j, -d * at(wEnc, j * dSae + i))
    }
  })
}

function addSums(to: Float64Array, dOut: Float64Array): void {
  dOut.forEach((d, place) => add(to, place % to.length, d))
}

/** Both choices of the topk family; `isRowWise` is topk. */
function chosen(
  input: ReferenceInput,
  isRowWise: boolean,
): { pre: Float64Array; acts: Float64Array; aux: Float64Array } {
  const { dSae } = input.shape
  const { k, auxK, deadMask } = input.settings
  const pre = preOf(input, true)
  const acts = isRowWise
    ? largestOfRows(pre, dSae, k, () => true)
    : only(pre, largest(pre, numbersFrom(0, pre.length), k * batchOf(input)))
  return { pre, acts, aux: largestOfRows(pre, dSae, auxK, (i) => deadMask?.[i] === 1) }
}

/** @param frozen the error that the auxiliary term reconstructs, when it is that of other parameters */
export function familyLoss(
  input: ReferenceInput,
  { isRowWise, frozen }: { isRowWise: boolean; frozen?: Float64Array },
): LossTerms & { error: Float64Array } {
  const { acts, aux: auxActs } = chosen(input, isRowWise)
  const { auxCoefficient, deadMask, widths } = input.settings
  const batch = batchOf(input)
  const mse = widths.reduce((sum, width) => sum + squares(errorOf(input, acts, width)), 0) / (batch * widths.length)
  const error = errorOf(input, acts)
  const missed = decodeFirst(input, auxActs, input.shape.dSae).map((y, p) => y + at(frozen ?? error, p))
  const aux = deadMask?.includes(1) ? squares(missed) / batch : null
  return { mse, sparsity: 0, aux, total: mse + auxCoefficient * (aux ?? 0), error }
}

/** topk, batchtopk and matryoshka_batchtopk. */
export function familyStep(input: ReferenceInput, isRowWise: boolean): ReferenceStep {
  const { dSae } = input.shape
  const { auxCoefficient, widths } = input.settings
  const batch = batchOf(input)
  const { acts, aux: auxActs } = chosen(input, isRowWise)
  const { error, ...losses } = familyLoss(input, { isRowWise })
  const gradients = zeros(input.weights)
  const dPre = new Float64Array(acts.length)
  for (const width of widths) {
    const dOut = errorOf(input, acts, width).map((e) => (2 * e) / (batch * widths.length))
    const back = backThroughDecoder(input, { featureActs: acts, width, dOut }, gradients)
    back.forEach((d, place) => add(dPre, place, at(acts, place) > 0 ? d : 0))
    addSums(weightOf(gradients, 'bDec'), dOut)
  }
  if (losses.aux !== null) {
    const missed = decodeFirst(input, auxActs, dSae).map((y, p) => y + at(error, p))
    const dOut = missed.map((e) => (2 * auxCoefficient * e) / batch)
    const back = backThroughDecoder(input, { featureActs: auxActs, width: dSae, dOut }, gradients)
    back.forEach((d, place) => add(dPre, place, at(auxActs, place) > 0 ? d : 0))
  }
  backThroughEncoder(input, dPre, gradients, true)
  return { losses, gradients, featureActs: acts }
}

const thetasOf = ({ weights, settings }: ReferenceInput) =>
  weightOf(weights, 'threshold').map((held) => (settings.thresholdForm === 'log' ? Math.exp(held) : Math.max(held, 0)))

function jumpActs(input: ReferenceInput): { pre: Float64Array; thetas: Float64Array; acts: Float64Array } {
  const [pre, thetas] = [preOf(input, false), thetasOf(input)]
  return { pre, thetas, acts: pre.map((p, place) => (p > at(thetas, place % input.shape.dSae) ? p : 0)) }
}

export function jumpLoss(input: ReferenceInput): LossTerms & { l0: number } {
  const { acts } = jumpActs(input)
  const { sparsity: lambda, targetL0 } = input.settings
  const l0 = acts.filter((f) => f > 0).length / batchOf(input)
  const sparsity = targetL0 === null ? l0 : (l0 / targetL0 - 1) ** 2
  const mse = squares(errorOf(input, acts)) / batchOf(input)
  return { mse, sparsity, aux: null, total: mse + lambda * sparsity, l0 }
}

/** jumprelu: the threshold's gradient is the straight-through one of the README of the fixtures. */
export function jumpStep(input: ReferenceInput): ReferenceStep {
  const { dSae } = input.shape
  const { bandwidth, sparsity: lambda, targetL0, thresholdForm } = input.settings
  const batch = batchOf(input)
  const { pre, thetas, acts } = jumpActs(input)
  const { l0, ...losses } = jumpLoss(input)
  const gradients = zeros(input.weights)
  const dOut = errorOf(input, acts).map((e) => (2 * e) / batch)
  const back = backThroughDecoder(input, { featureActs: acts, width: dSae, dOut }, gradients)
  addSums(weightOf(gradients, 'bDec'), dOut)
  const dPre = back.map((d, place) => (at(acts, place) > 0 ? d : 0))
  backThroughEncoder(input, dPre, gradients, false)
  const dL0 = targetL0 === null ? lambda : (2 * lambda * (l0 / targetL0 - 1)) / targetL0
  pre.forEach((p, place) => {
    const theta = at(thetas, place % dSae)
    if (Math.abs((p - theta) / bandwidth) >= 0.5) return
    const byTheta = at(back, place) * -(theta / bandwidth) + (dL0 / batch) * -(1 / bandwidth)
    add(weightOf(gradients, 'threshold'), place % dSae, byTheta * (thresholdForm === 'log' ? theta : 1))
  })
  return { losses, gradients, featureActs: acts }
}

/** dL/dw of one parameter by central differences. */
export function differences(loss: (weights: Numbers) => number, weights: Numbers, name: string): Float64Array {
  const reach = 1e-6
  const values = weightOf(weights, name)
  return values.map((value, place) => {
    const moved = (by: number) => {
      const changed = values.slice()
      changed[place] = value + by
      return loss({ ...weights, [name]: changed })
    }
    return (moved(reach) - moved(-reach)) / (2 * reach)
  })
}
