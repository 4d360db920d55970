/** One measurement of training steps, in a process of its own: trains on made-up activations as its argument says and prints one line. */
import { openBackend } from '../../src/main/engine/tf'
import { kernelBytes, openKernels } from '../../src/main/engine/kernels/open'
import { architectureOf } from '../../src/main/engine/sae/registry'
import { Random } from '../../src/main/engine/train/random'
import { stepSettings } from '../../src/main/engine/train/settings'
import { Steps } from '../../src/main/engine/train/steps'
import { TrainConfig } from '../../src/shared/training'
import type { SaeJob } from './sae-job'

const BATCHES = 8
const ACTIVE = 16
const NOISE = 0.05

/** What the yardstick trains on: 16 of 4 dIn unit directions with sizes 0.5 to 1.5, and noise, scaled to mean ||x||^2 = dIn. */
function makeBatches({ dIn, batch }: SaeJob): Float32Array[] {
  const random = Random.fromSeed(0)
  const count = 4 * dIn
  const directions = Float32Array.from({ length: count * dIn }, () => random.normal())
  for (let i = 0; i < count; i++) {
    const row = directions.subarray(i * dIn, (i + 1) * dIn)
    const norm = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0))
    row.forEach((x, j) => (row[j] = x / norm))
  }
  return Array.from({ length: BATCHES }, () => {
    const x = Float32Array.from({ length: batch * dIn }, () => NOISE * random.normal())
    for (let row = 0; row < batch; row++) {
      for (let k = 0; k < ACTIVE; k++) {
        const [direction, size] = [random.int(count), 0.5 + random.uniform()]
        for (let j = 0; j < dIn; j++) {
          const at = row * dIn + j
          x[at] = (x[at] ?? 0) + size * (directions[direction * dIn + j] ?? 0)
        }
      }
    }
    const scale = Math.sqrt((dIn * batch) / x.reduce((sum, value) => sum + value * value, 0))
    return x.map((value) => value * scale)
  })
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

async function main(): Promise<void> {
  const job = JSON.parse(process.argv[2] ?? '{}') as SaeJob
  const { dIn, dSae, batch, warmSteps, steps, threads } = job
  const backend = await openBackend(job.backend)
  const config = TrainConfig.parse({
    ...{ modelId: 1, datasetId: 1, hookName: 'made-up', architecture: job.architecture, dSae, k: job.k },
    ...{ l1Coefficient: job.l1, learningRate: 1e-3, batchTokens: batch, trainingTokens: batch, contextSize: 8 },
    ...{ bufferTokens: 64, seed: 0 },
  })
  const architecture = architectureOf(config.architecture)
  const options = { architecture, dIn, config, backend: backend.name, threads }
  const shape = { dIn, dSae }
  const parameters = architecture.initialise(shape, config, Random.fromSeed(0, 1))
  const trained = new Steps(architecture, shape, parameters, openKernels(options).open)
  const settings = stepSettings(config, { dIn }, { step: 1, steps: 2, deadMask: null })
  const batches = makeBatches(job)
  const times: number[] = []
  let l0 = 0
  let route = ''
  for (let step = 0; step < warmSteps + steps; step++) {
    const started = performance.now()
    const figures = trained.step(batches[step % BATCHES] ?? new Float32Array(0), settings, {
      ...{ learningRate: 1e-3, clipNorm: 1, update: step + 1, unitDecoder: architecture.hasUnitDecoder },
      check: () => undefined,
    })
    if (step >= warmSteps) times.push(performance.now() - started)
    l0 = figures.l0
    route = figures.route
  }
  const peakBytes = process.resourceUsage().maxRSS * 1024
  const ms = median(times)
  process.stdout.write(
    `${JSON.stringify({ device: backend.device, ms, tokensPerS: (batch / ms) * 1000, l0, route, peakBytes, kernelBytes: kernelBytes(options).start })}\n`,
  )
  process.exit(0)
}

void main()
