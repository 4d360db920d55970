/** What the training loop must satisfy on every backend, on made-up vectors whose directions are known. */
import { expect, it } from 'vitest'
import { HeldOutJudge, spread } from '../../src/main/engine/measure/held-out'
import { architectureOf } from '../../src/main/engine/sae/registry'
import { standard } from '../../src/main/engine/sae/standard'
import { toTensors } from '../../src/main/engine/train/dense-route'
import { Random } from '../../src/main/engine/train/random'
import { Trainer } from '../../src/main/engine/train/trainer'
import { dataOf } from '../../src/main/engine/train/weights'
import { memoryReport, tf } from '../../src/main/engine/tf'
import { ArchitectureName, TrainConfig } from '../../src/shared/domain'
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

const CONFIG = TrainConfig.parse({
  ...{ modelId: 1, datasetId: 1, hookName: 'x', contextSize: 8, bufferTokens: 64 },
  ...{ dSae: 32, l1Coefficient: 0.5, learningRate: 3e-3, batchTokens: 64, trainingTokens: 64 * 520, seed: 5, k: 4 },
})

function makeTrainer(changes: Partial<TrainConfig> = {}): Trainer {
  const vectors = new Float32Array(1000 * D_IN)
  makeVectors(1)(vectors)
  const heldOut = new HeldOutJudge({ vectors, dIn: D_IN, tokens: 1000 })
  const config = { ...CONFIG, ...changes }
  const architecture = architectureOf(config.architecture)
  return new Trainer({ architecture, dIn: D_IN, config, heldOut, openSparse: () => null })
}

/** Batches without end, always the same ones; the array is used again for each. */
function makeBatches(): () => Float32Array {
  const fill = makeVectors(2)
  const batch = new Float32Array(CONFIG.batchTokens * D_IN)
  return () => {
    fill(batch)
    return batch
  }
}

/** Trains to the end. */
function trainAll(trainer: Trainer, next = makeBatches()): MetricPoint[] {
  const points: MetricPoint[] = []
  while (!trainer.isDone) {
    const point = trainer.advance(next())
    if (point) points.push(point)
  }
  return [...points, trainer.lastPoint(next()).point]
}

export function learningCase(): void {
  it('learns to explain held-out vectors, with a flat number of tensors', () => {
    const trainer = makeTrainer()
    const next = makeBatches()
    const points: MetricPoint[] = []
    let early = 0
    while (!trainer.isDone) {
      const point = trainer.advance(next())
      if (point) points.push(point)
      if (trainer.step === 10) early = memoryReport().tensors
      if (trainer.step === 510) expect(memoryReport().tensors).toBe(early)
    }
    const { point, summary } = trainer.lastPoint(next())
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
    expect(memoryReport().tensors).toBeLessThanOrEqual(early)
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

export function togetherCase(): void {
  it('trains several dictionaries on the same batches, each with the bits it has alone', () => {
    const changes: Partial<TrainConfig>[] = [
      { trainingTokens: 64 * 60 },
      { trainingTokens: 64 * 60, dSae: 48, l1Coefficient: 2, seed: 8 },
      { trainingTokens: 64 * 60, architecture: 'batchtopk' },
    ]
    const alone = changes.map((change) => {
      const trainer = makeTrainer(change)
      return { points: trainAll(trainer), state: trainer.state() }
    })
    const trainers = changes.map(makeTrainer)
    const next = makeBatches()
    const points: MetricPoint[][] = trainers.map(() => [])
    while (!trainers.every((trainer) => trainer.isDone)) {
      const batch = next()
      trainers.forEach((trainer, i) => points[i]?.push(...[trainer.advance(batch)].filter((point) => point !== null)))
    }
    const batch = next()
    trainers.forEach((trainer, i) => points[i]?.push(trainer.lastPoint(batch).point))
    expect(trainers.map((trainer, i) => ({ points: points[i], state: trainer.state() }))).toEqual(alone)
  })
}

export function resumeCase(): void {
  it.each(ArchitectureName.options)('goes on from its state to the bits of the uninterrupted training: %s', (name) => {
    // Features go dead within these steps, so that AuxK and resampling are at work before and after the restarts.
    const change = {
      trainingTokens: 64 * 60,
      architecture: name,
      deadTokens: 256,
      resampleDead: true,
      learningRate: 0.02,
    }
    const whole = makeTrainer(change)
    const points = trainAll(whole)
    const stops = Random.fromSeed(4)
    const next = makeBatches()
    const again: MetricPoint[] = []
    let trainer = makeTrainer(change)
    while (!trainer.isDone) {
      for (let left = stops.int(9); left > 0 && trainer.step < trainer.steps; left--) {
        const point = trainer.advance(next())
        if (point) again.push(point)
      }
      const state = structuredClone(trainer.state())
      trainer.dispose()
      trainer = makeTrainer({ ...change })
      trainer.restore(state)
    }
    expect([...again, trainer.lastPoint(next()).point]).toEqual(points)
    expect(trainer.state()).toEqual(whole.state())
    expect(trainer.encodeSettings).toEqual(whole.encodeSettings)
  })
}

const SETTINGS = { k: 4, threshold: 0, thresholdForm: 'direct' as const }

export function judgeCase(): void {
  it('measures explained variance around the mean, L0 and firing shares as brute force does', () => {
    const random = Random.fromSeed(8)
    const [rows, dSae] = [50, 20]
    const vectors = Float32Array.from({ length: rows * D_IN }, () => 2 + random.normal())
    const parameters = toTensors(standard.initialise({ dIn: D_IN, dSae }, CONFIG, random))
    const saeIn = tf.tensor2d(vectors, [rows, D_IN])
    const featureActs = standard.encode(parameters, saeIn, SETTINGS)
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
    const figures = judge.judge(standard, parameters, SETTINGS)
    expect(spread(vectors, D_IN, rows)).toBeCloseTo(around, 6)
    expect(figures.explainedVariance).toBeCloseTo(1 - errors / around, 5)
    expect(figures.mse).toBeCloseTo(errors / rows, 4)
    expect(figures.l0).toBeCloseTo(Array.from(acts).filter((value) => value > 0).length / rows, 6)
    const shares = judge.firingShare(standard, parameters, SETTINGS, dSae)
    for (let i = 0; i < dSae; i++) {
      let fired = 0
      for (let t = 0; t < rows; t++) if ((acts[t * dSae + i] ?? 0) > 0) fired += 1
      expect(shares[i]).toBeCloseTo(fired / rows, 6)
    }
  })
}

/** Changes one parameter of a trainer by hand. */
function tamper(trainer: Trainer, name: string, change: (data: Float32Array) => void): Trainer {
  const state = trainer.state()
  change(dataOf(state.steps.parameters, name))
  trainer.restore(state)
  return trainer
}

export function divergenceCase(): void {
  it('stops with training-diverged before anything is changed', () => {
    const batch = makeBatches()()
    const poison = tamper(makeTrainer({ learningRate: 1e-3 }), 'wDec', (data) => data.fill(Number.NaN))
    const before = poison.state()
    expect(() => poison.advance(batch)).toThrow(
      expect.objectContaining({ code: 'training-diverged', details: { step: 0 } }),
    )
    expect(poison.state()).toEqual(before)
    const far = makeTrainer({ learningRate: 1, trainingTokens: 64 * 2000 })
    tamper(far, 'wDec', (data) => data.forEach((value, i) => (data[i] = value * 1e6)))
    expect(() => trainAll(far)).toThrow(expect.objectContaining({ code: 'training-diverged' }))
  })
}

export function deadCase(): void {
  it('counts features that are silent over the window it states', () => {
    const trainer = tamper(makeTrainer({ trainingTokens: 64 * 50 }), 'bEnc', (data) => data.fill(-1e3, 0, 8))
    expect(trainer.deadFraction()).toBe(0)
    trainAll(trainer)
    expect(trainer.deadWindowTokens).toBe(64 * 10)
    expect(trainer.deadFraction()).toBe(8 / 32)
  })
}
