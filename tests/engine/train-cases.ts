/** What the training loop must satisfy on every backend, on made-up vectors whose directions are known. */
import { expect, it } from 'vitest'
import { HeldOutJudge, spread } from '../../src/main/engine/measure/held-out'
import { standard } from '../../src/main/engine/sae/standard'
import { Random } from '../../src/main/engine/train/random'
import { Trainer } from '../../src/main/engine/train/trainer'
import { memoryReport, tf } from '../../src/main/engine/tf'
import type { MetricPoint } from '../../src/shared/domain'

const D_IN = 16
const DIRECTIONS = 24

/** Sparse sums of 24 fixed directions, scaled to mean ||x||^2 of about dIn. */
function makeVectors(seed: number): (batch: Float32Array) => void {
  const fixed = Random.fromSeed(99)
  const directions = Float32Array.from({ length: DIRECTIONS * D_IN }, () => fixed.normal())
  const random = Random.fromSeed(seed)
  return (batch) => {
    batch.fill(0)
    for (let row = 0; row * D_IN < batch.length; row++) {
      for (let k = 0; k < 2; k++) {
        const direction = random.int(DIRECTIONS)
        const size = 0.3 + 0.8 * random.uniform()
        for (let j = 0; j < D_IN; j++) {
          const at = row * D_IN + j
          batch[at] = (batch[at] ?? 0) + size * (directions[direction * D_IN + j] ?? 0)
        }
      }
    }
  }
}

const CONFIG = { dSae: 32, l1Coefficient: 0.5, learningRate: 3e-3, batchTokens: 64, trainingTokens: 64 * 520, seed: 5 }

function makeTrainer(changes: Partial<typeof CONFIG> = {}): Trainer {
  const vectors = new Float32Array(1000 * D_IN)
  makeVectors(1)(vectors)
  const heldOut = new HeldOutJudge({ vectors, dIn: D_IN, tokens: 1000 })
  return new Trainer({
    architecture: standard,
    dIn: D_IN,
    config: { ...CONFIG, ...changes },
    nextBatch: makeVectors(2),
    heldOut,
  })
}

function trainAll(trainer: Trainer): MetricPoint[] {
  const points: MetricPoint[] = []
  while (!trainer.isDone) {
    const point = trainer.advance()
    if (point) points.push(point)
  }
  return [...points, trainer.lastPoint().point]
}

export function learningCase(): void {
  it('learns to explain held-out vectors, with a flat number of tensors', () => {
    const trainer = makeTrainer()
    const points: MetricPoint[] = []
    let early = 0
    while (!trainer.isDone) {
      const point = trainer.advance()
      if (point) points.push(point)
      if (trainer.step === 10) early = memoryReport().tensors
      if (trainer.step === 510) expect(memoryReport().tensors).toBe(early)
    }
    const { point, summary } = trainer.lastPoint()
    expect(memoryReport().tensors).toBe(early)
    expect(points[0]).toMatchObject({ step: 0, tokens: 0, learningRate: 3e-3, deadFraction: 0 })
    expect(points[0]?.explainedVariance).toBeLessThan(0.3)
    expect(point).toMatchObject({ step: 520, tokens: 64 * 520 })
    expect(point.explainedVariance).toBe(summary.explainedVariance)
    expect(summary.explainedVariance).toBeGreaterThan(0.8)
    expect(summary.heldOutTokens).toBe(1000)
    expect(summary.trainedTokens).toBe(64 * 520)
    expect(points.filter((p) => p.explainedVariance !== null).length).toBeGreaterThanOrEqual(50)
    trainer.dispose()
    expect(memoryReport().tensors).toBeLessThan(early)
  })
}

export function repeatCase(): void {
  it('gives the same bits for the same seed, and others for another', () => {
    const run = (seed: number) => {
      const trainer = makeTrainer({ trainingTokens: 64 * 60, seed })
      const points = trainAll(trainer)
      const weights = trainer.weights()
      trainer.dispose()
      return { points, weights }
    }
    const first = run(5)
    expect(run(5)).toEqual(first)
    expect(run(6).weights.wEnc?.data).not.toEqual(first.weights.wEnc?.data)
  })
}

export function judgeCase(): void {
  it('measures explained variance around the mean, L0 and firing shares as brute force does', () => {
    const random = Random.fromSeed(8)
    const [rows, dSae] = [50, 20]
    const vectors = Float32Array.from({ length: rows * D_IN }, () => 2 + random.normal())
    const parameters = standard.initialise({ dIn: D_IN, dSae }, random)
    const saeIn = tf.tensor2d(vectors, [rows, D_IN])
    const featureActs = standard.encode(parameters, saeIn)
    const [acts, out] = [featureActs.dataSync(), standard.decode(parameters, featureActs).dataSync()]
    let errors = 0
    let around = 0
    const mean = Array.from({ length: D_IN }, (_, j) => {
      let sum = 0
      for (let t = 0; t < rows; t++) sum += vectors[t * D_IN + j] ?? 0
      return sum / rows
    })
    vectors.forEach((x, at) => {
      errors += (x - (out[at] ?? 0)) ** 2
      around += (x - (mean[at % D_IN] ?? 0)) ** 2
    })
    const judge = new HeldOutJudge({ vectors, dIn: D_IN, tokens: rows })
    const figures = judge.judge(standard, parameters)
    expect(spread(vectors, D_IN, rows)).toBeCloseTo(around, 6)
    expect(figures.explainedVariance).toBeCloseTo(1 - errors / around, 5)
    expect(figures.mse).toBeCloseTo(errors / rows, 4)
    expect(figures.l0).toBeCloseTo(Array.from(acts).filter((value) => value > 0).length / rows, 6)
    const shares = judge.firingShare(standard, parameters, dSae)
    for (let i = 0; i < dSae; i++) {
      let fired = 0
      for (let t = 0; t < rows; t++) if ((acts[t * dSae + i] ?? 0) > 0) fired += 1
      expect(shares[i]).toBeCloseTo(fired / rows, 6)
    }
  })
}

export function divergenceCase(): void {
  it('stops with training-diverged when the learning rate is absurd', () => {
    const trainer = makeTrainer({ learningRate: 1, trainingTokens: 64 * 2000 })
    const poison = makeTrainer({ learningRate: 1e-3 })
    const { wDec } = poison.parameters
    if (!wDec) throw new Error('wDec is missing')
    poison.parameters.wDec = tf.mul(wDec, Number.NaN)
    expect(() => poison.advance()).toThrow(expect.objectContaining({ code: 'training-diverged', details: { step: 0 } }))
    trainer.parameters.wDec = tf.mul(wDec, 1e6)
    expect(() => trainAll(trainer)).toThrow(expect.objectContaining({ code: 'training-diverged' }))
  })
}

export function deadCase(): void {
  it('counts features that are silent over the window it states', () => {
    const trainer = makeTrainer({ trainingTokens: 64 * 50 })
    const { bEnc } = trainer.parameters
    if (!bEnc) throw new Error('bEnc is missing')
    const biases = Float32Array.from(bEnc.dataSync()).fill(-1e3, 0, 8)
    trainer.parameters.bEnc = tf.tensor1d(biases)
    expect(trainer.deadFraction()).toBe(0)
    trainAll(trainer)
    expect(trainer.deadWindowTokens).toBe(64 * 10)
    expect(trainer.deadFraction()).toBe(8 / 32)
  })
}
