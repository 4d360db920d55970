/**
 * Architectures at equal L0: standard and batchtopk on the residual stream after the middle block of a small pretrained model. A standard
 * dictionary is trained first; batchtopk then gets the whole number next to its held-out L0 as k. One JSON object a line.
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { openBackend } from '../../src/main/engine/tf'
import { prepareTraining } from '../../src/main/tasks/training-setup'
import type { SaeSummary } from '../../src/shared/domain'
import { TrainConfig } from '../../src/shared/training'

const STORIES = resolve(import.meta.dirname, '../../../shared/models/stories260K')
const LAMBDAS = [0.5, 1, 2]
const SEEDS = [0, 1]
const STEPS = 3000

const say = (figures: object) => void process.stdout.write(`${JSON.stringify(figures)}\n`)
const rounded = (value: number) => Number(value.toFixed(4))

/** Trains one dictionary and judges it on the held-out documents. */
async function train(
  folder: string,
  settings: Partial<TrainConfig>,
): Promise<Pick<SaeSummary, 'explainedVariance' | 'l0' | 'deadFraction' | 'heldOutTokens'>> {
  const backend = await openBackend()
  const config = TrainConfig.parse({
    ...{ modelId: 1, datasetId: 1, hookName: 'blocks.2.hook_resid_post', dSae: 512, l1Coefficient: 1 },
    ...{ learningRate: 3e-3, batchTokens: 1024, trainingTokens: 1024 * STEPS, contextSize: 128, bufferTokens: 65_536 },
    ...{ seed: 0, ...settings },
  })
  const setup = await prepareTraining(
    {
      ...{ kind: 'train', name: 'bench', config, folder, checkpointMinutes: 60, resume: false, activations: null },
      model: { name: 'stories260K', path: STORIES, sha256: '' },
      dataset: {
        name: 'corpus',
        path: join(STORIES, 'corpus.jsonl'),
        textField: 'text',
        deduplicate: false,
        sha256: 'd'.repeat(64),
      },
    },
    { send: () => undefined, isCancelled: () => false, backend, threadEntry: '' },
    null,
  )
  const { trainer, buffer, source } = setup
  const batch = new Float32Array(config.batchTokens * source.dIn)
  while (!trainer.isDone) {
    buffer.draw(batch)
    trainer.advance(batch)
  }
  const summary = trainer.summary()
  trainer.dispose()
  source.dispose()
  return summary
}

it.skipIf(!existsSync(STORIES))(
  'batchtopk explains more than standard at equal L0',
  { timeout: 3_600_000 },
  async () => {
    // Threads need a built worker; one copy of the model is enough here.
    process.env.MONOSCOPE_THREADS ??= '1'
    const folder = await mkdtemp(join(tmpdir(), 'monoscope-bench-'))
    for (const seed of SEEDS) {
      for (const l1Coefficient of LAMBDAS) {
        const standard = await train(folder, { architecture: 'standard', l1Coefficient, seed })
        const k = Math.max(1, Math.round(standard.l0))
        const batchtopk = await train(folder, { architecture: 'batchtopk', k, seed })
        say({
          ...{
            case: 'architectures',
            seed,
            lambda: l1Coefficient,
            steps: STEPS,
            heldOutTokens: standard.heldOutTokens,
          },
          standard: { l0: rounded(standard.l0), explainedVariance: rounded(standard.explainedVariance) },
          batchtopk: { k, l0: rounded(batchtopk.l0), explainedVariance: rounded(batchtopk.explainedVariance) },
          gain: rounded(batchtopk.explainedVariance - standard.explainedVariance),
        })
        expect(batchtopk.explainedVariance).toBeGreaterThan(standard.explainedVariance)
      }
    }
    await rm(folder, { recursive: true, force: true })
  },
)
