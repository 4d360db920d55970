/** Made-up activations whose directions are known: sparse sums of more directions than there are dimensions; and how many are found. */
import { openKernels } from '../../src/main/engine/kernels/open'
import { HeldOutJudge } from '../../src/main/engine/measure/held-out'
import { architectureOf } from '../../src/main/engine/sae/registry'
import { Random } from '../../src/main/engine/train/random'
import type { TrainerConfig } from '../../src/main/engine/train/settings'
import { Trainer } from '../../src/main/engine/train/trainer'
import type { BackendName } from '../../src/shared/domain'
import { configOf } from './sae-routes'

export const TOY = { directions: 96, dIn: 32, active: 3 }
const HELD_OUT = 1000
/** A direction is found when a feature is this close to it. */
const CLOSE = 0.9

function makeDirections(): Float32Array {
  const { directions, dIn } = TOY
  const random = Random.fromSeed(11)
  const made = Float32Array.from({ length: directions * dIn }, () => random.normal())
  for (let i = 0; i < directions; i++) {
    const row = made.subarray(i * dIn, (i + 1) * dIn)
    const norm = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0))
    row.forEach((x, j) => (row[j] = x / norm))
  }
  return made
}

/** Fills rows with sums of five different directions of sizes 0.5 to 1.5, scaled to mean ||x||^2 of about dIn. */
function filler(directions: Float32Array, random: Random): (batch: Float32Array) => void {
  const { dIn, active } = TOY
  const scale = Math.sqrt(dIn / (active * (1 + 1 / 12)))
  return (batch) => {
    batch.fill(0)
    for (let row = 0; row * dIn < batch.length; row++) {
      const chosen = new Set<number>()
      while (chosen.size < active) chosen.add(random.int(TOY.directions))
      for (const direction of chosen) {
        const size = scale * (0.5 + random.uniform())
        for (let j = 0; j < dIn; j++) {
          const at = row * dIn + j
          batch[at] = (batch[at] ?? 0) + size * (directions[direction * dIn + j] ?? 0)
        }
      }
    }
  }
}

/** Share of the directions that some decoder row points along. */
function foundShare(directions: Float32Array, wDec: Float32Array): number {
  const { dIn } = TOY
  const norms: number[] = []
  for (let at = 0; at < wDec.length; at += dIn) {
    norms.push(Math.sqrt(wDec.subarray(at, at + dIn).reduce((sum, x) => sum + x * x, 0)))
  }
  let found = 0
  for (let d = 0; d < TOY.directions; d++) {
    const best = norms.reduce((most, norm, i) => {
      let dot = 0
      for (let j = 0; j < dIn; j++) dot += (directions[d * dIn + j] ?? 0) * (wDec[i * dIn + j] ?? 0)
      return Math.max(most, dot / Math.max(norm, 1e-20))
    }, -1)
    if (best > CLOSE) found += 1
  }
  return found / TOY.directions
}

export type Recovery = { found: number; explainedVariance: number; l0: number; deadFraction: number; seconds: number }

/** Trains on the toy and says what was found. */
export function recover(
  settings: Partial<TrainerConfig> & Pick<TrainerConfig, 'architecture'>,
  { backend, threads }: { backend: BackendName; threads: number },
): Recovery {
  const { dIn } = TOY
  const started = performance.now()
  const config = configOf({ dSae: 192, batchTokens: 512, trainingTokens: 512 * 2000, seed: 1, ...settings })
  const directions = makeDirections()
  const vectors = new Float32Array(HELD_OUT * dIn)
  filler(directions, Random.fromSeed(12))(vectors)
  const architecture = architectureOf(config.architecture)
  const trainer = new Trainer({
    ...{ architecture, dIn, config, heldOut: new HeldOutJudge({ vectors, dIn, tokens: HELD_OUT }) },
    openSparse: openKernels({ architecture, dIn, config, backend, threads }).open,
  })
  const fill = filler(directions, Random.fromSeed(13))
  const batch = new Float32Array(config.batchTokens * dIn)
  while (!trainer.isDone) {
    fill(batch)
    trainer.advance(batch)
  }
  const { explainedVariance, l0, deadFraction } = trainer.summary()
  const wDec = trainer.weights().wDec?.data ?? new Float32Array(0)
  trainer.dispose()
  const seconds = (performance.now() - started) / 1000
  return { found: foundShare(directions, wDec), explainedVariance, l0, deadFraction, seconds }
}
