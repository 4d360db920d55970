/** Reconstruction figures against plain sums, and against the formula that goes wrong when the mean of the inputs is large. */
import { describe, expect, it } from 'vitest'
import { Reconstruction } from '../../src/main/engine/measure/reconstruction'
import type { Block, ReconstructionFigures } from '../../src/main/engine/measure/reconstruction'
import { Random } from '../../src/main/engine/train/random'

const D_IN = 5
const D_SAE = 4
const TOKENS = 60

/** Inputs around a mean far from zero, with unlike dimensions; a reconstruction with an error; codes of which feature 3 is silent. */
function makeBlock(): Block {
  const random = Random.fromSeed(8)
  const saeIn = Float32Array.from({ length: TOKENS * D_IN }, (_, at) => 3 * (at % D_IN) + random.normal())
  const saeOut = saeIn.map((x) => x + 0.3 * random.normal())
  const featureActs = Float32Array.from({ length: TOKENS * D_SAE }, (_, at) =>
    at % D_SAE === 3 ? 0 : Math.max(0, random.normal() - (at % D_SAE)),
  )
  return { saeIn, saeOut, featureActs, tokens: TOKENS }
}

const bDec = Float32Array.of(1, -2, 0.5, 4, 3)
const norms = Float64Array.of(1, 2, 3, 4)

function figuresOf(blocks: readonly Block[], centre = bDec): ReconstructionFigures {
  const reconstruction = new Reconstruction(centre, norms)
  for (const block of blocks) reconstruction.add(block)
  return reconstruction.figures()
}

/** The first and the remaining tokens. */
function halves({ saeIn, saeOut, featureActs, tokens }: Block, first: number): Block[] {
  const cut = (from: number, to: number): Block => ({
    saeIn: saeIn.slice(from * D_IN, to * D_IN),
    saeOut: saeOut.slice(from * D_IN, to * D_IN),
    featureActs: featureActs.slice(from * D_SAE, to * D_SAE),
    tokens: to - from,
  })
  return [cut(0, first), cut(first, tokens)]
}

const rowsOf = (values: Float32Array, width: number): number[][] =>
  Array.from({ length: values.length / width }, (_, t) => Array.from(values.subarray(t * width, (t + 1) * width)))
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
const dot = (a: readonly number[], b: readonly number[]) => sum(a.map((value, j) => value * (b[j] ?? 0)))
const minus = (a: readonly number[], b: readonly number[]) => a.map((value, j) => value - (b[j] ?? 0))
const square = (a: readonly number[]) => dot(a, a)
const mean = (values: readonly number[]) => sum(values) / values.length

describe('reconstruction figures', () => {
  const block = makeBlock()
  const [xs, outs] = [rowsOf(block.saeIn, D_IN), rowsOf(block.saeOut, D_IN)]
  const pairs = xs.map((x, t) => [x, outs[t] ?? []] as const)
  const errors = sum(pairs.map(([x, out]) => square(minus(x, out))))

  it('explains the variance around the mean of every dimension, where the wrong formula says something else', () => {
    const centre = Array.from({ length: D_IN }, (_, j) => mean(xs.map((x) => x[j] ?? 0)))
    const spread = sum(xs.map((x) => square(minus(x, centre))))
    const { explainedVariance, normalisedMse } = figuresOf([block])
    expect(explainedVariance).toBeCloseTo(1 - errors / spread, 9)
    // Wrong: from E||x||^2 it takes the square of the mean over dimensions of E[x_d^2].
    const squares = Array.from({ length: D_IN }, (_, j) => mean(xs.map((x) => (x[j] ?? 0) ** 2)))
    const wrong = 1 - errors / TOKENS / (sum(squares) - mean(squares) ** 2)
    expect(Math.abs(wrong - explainedVariance)).toBeGreaterThan(0.05)
    // Nor is it one minus the normalised error, which a large mean makes look small.
    expect(Math.abs(1 - normalisedMse - explainedVariance)).toBeGreaterThan(0.05)
  })

  it('agrees with plain sums over tokens', () => {
    const centred = pairs.map(([x, out]) => [minus(x, [...bDec]), minus(out, [...bDec])] as const)
    const codes = rowsOf(block.featureActs, D_SAE)
    const found = figuresOf([block])
    expect(found.tokens).toBe(TOKENS)
    expect(found.normalisedMse).toBeCloseTo(errors / sum(xs.map(square)), 9)
    expect(found.l0).toBeCloseTo(mean(codes.map((code) => code.filter((value) => value > 0).length)), 9)
    expect(found.l1).toBeCloseTo(mean(codes.map((code) => dot(code, [...norms]))), 5)
    expect(found.silentFraction).toBe(1 / D_SAE)
    const gamma = sum(centred.map(([, out]) => square(out))) / sum(centred.map(([x, out]) => dot(x, out)))
    expect(found.shrinkage).toBeCloseTo(gamma, 9)
    // Equation 10 of arXiv 2404.16014, which leaves b_dec in.
    const published = sum(pairs.map(([, out]) => square(out))) / sum(pairs.map(([x, out]) => dot(x, out)))
    expect(found.relativeBias).toBeCloseTo(published, 9)
    expect(Math.abs(published - gamma)).toBeGreaterThan(1e-4)
    const cosine = mean(pairs.map(([x, out]) => dot(x, out) / Math.sqrt(square(x) * square(out))))
    expect(found.cosine).toBeCloseTo(cosine, 9)
    expect(found.l2Ratio).toBeCloseTo(mean(pairs.map(([x, out]) => Math.sqrt(square(out) / square(x)))), 9)
  })

  it('does not depend on how the tokens are cut into blocks', () => {
    const whole = figuresOf([block])
    for (const first of [0, 1, 17, TOKENS]) {
      const cut = figuresOf(halves(block, first))
      for (const key of ['explainedVariance', 'normalisedMse', 'l0', 'l1', 'shrinkage', 'cosine', 'l2Ratio'] as const)
        expect(cut[key]).toBeCloseTo(whole[key], 9)
      expect(cut.densityHistogram).toEqual(whole.densityHistogram)
    }
  })

  it('finds a shrinkage of a half when xhat - b_dec is halved, and 1 when nothing is lost', () => {
    const halved = block.saeIn.map((x, at) => (x + (bDec[at % D_IN] ?? 0)) / 2)
    expect(figuresOf([{ ...block, saeOut: halved }]).shrinkage).toBeCloseTo(0.5, 6)
    const perfect = figuresOf([{ ...block, saeOut: block.saeIn }])
    expect(perfect).toMatchObject({ explainedVariance: 1, normalisedMse: 0 })
    for (const one of [perfect.shrinkage, perfect.cosine, perfect.l2Ratio]) expect(one).toBeCloseTo(1, 9)
  })

  it('explains nothing with the mean of the tokens in the place of each', () => {
    const reconstruction = new Reconstruction(bDec, norms)
    reconstruction.add(block)
    const centre = reconstruction.mean()
    expect(centre).toHaveLength(D_IN)
    const saeOut = block.saeIn.map((_, at) => centre[at % D_IN] ?? 0)
    expect(figuresOf([{ ...block, saeOut }]).explainedVariance).toBeCloseTo(0, 5)
  })

  it('counts features by half decades of the share of tokens they fire on', () => {
    const tokens = 1000
    const shares = [1000, 400, 10, 0]
    const featureActs = Float32Array.from({ length: tokens * D_SAE }, (_, at) =>
      Math.floor(at / D_SAE) < (shares[at % D_SAE] ?? 0) ? 1 : 0,
    )
    const vectors = new Float32Array(tokens * D_IN).fill(1)
    const { densityHistogram } = figuresOf([{ saeIn: vectors, saeOut: vectors, featureActs, tokens }])
    // Always and 0.4: the last bin, from 10^-0.5 to 1. 0.01: the one from 10^-2 to 10^-1.5. Never: none.
    expect(densityHistogram).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 2])
  })
})
