/** Logit weights of directions against the logits of whole residual streams, on every golden model and the pretrained one. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { loadModel, loadUnembedding } from '../../src/main/engine/lm'
import { Random } from '../../src/main/engine/train/random'
import { openBackend, tf } from '../../src/main/engine/tf'
import { goldensFolder, relativeError, reportSkip } from './goldens'

const ROWS = 5
const CENTRES = ['gpt2', 'gpt_neo', 'gpt_neox']
const Config = z.looseObject({
  model_type: z.string(),
  rms_norm_eps: z.number().optional(),
  layer_norm_epsilon: z.number().optional(),
  layer_norm_eps: z.number().optional(),
  final_logit_softcapping: z.number().nullish(),
})

const folder = goldensFolder()
const models = folder ? readdirSync(folder).filter((name) => existsSync(join(folder, name, 'config.json'))) : []
if (models.length === 0) reportSkip('direct logits', 'there are no golden models')

beforeAll(() => openBackend('cpu'))

/** What a norm divides a row by. */
function divisorOf(row: Float32Array, isCentred: boolean, eps: number): number {
  const mean = isCentred ? row.reduce((sum, x) => sum + x, 0) / row.length : 0
  return Math.sqrt(row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / row.length + eps)
}

describe.skipIf(models.length === 0)('direct logits', () => {
  it.each(models)(
    '%s: are those of the residual stream times the divisor of its norm, without bias and cap',
    async (name) => {
      const path = join(folder ?? '', name)
      const config = Config.parse(JSON.parse(readFileSync(join(path, 'config.json'), 'utf8')))
      const eps = config.rms_norm_eps ?? config.layer_norm_epsilon ?? config.layer_norm_eps ?? 1e-5
      const cap = config.final_logit_softcapping ?? null
      const [model, head] = [await loadModel(path), await loadUnembedding(path)]
      const { layers, dModel, vocabulary } = model.config
      const random = Random.fromSeed(3)
      const x = Float32Array.from({ length: ROWS * dModel }, () => random.normal())
      const logitsOf = (values: Float32Array) =>
        tf.tidy(() => model.fromResid(tf.tensor3d(values, [1, ROWS, dModel]), layers - 1).dataSync<'float32'>())
      const uncapped = (logit: number) => (cap === null ? logit : cap * Math.atanh(logit / cap))
      const [logits, bias] = [logitsOf(x), logitsOf(new Float32Array(x.length))]
      const isCentred = CENTRES.includes(config.model_type)
      const expected = Float64Array.from(logits, (logit, at) => {
        const row = Math.floor(at / vocabulary)
        const divisor = divisorOf(x.subarray(row * dModel, (row + 1) * dModel), isCentred, eps)
        return (uncapped(logit) - uncapped(bias[at] ?? 0)) * divisor
      })
      const got = tf.tidy(() => head.directLogits(tf.tensor2d(x, [ROWS, dModel])).dataSync<'float32'>())
      expect(got).toHaveLength(ROWS * vocabulary)
      expect(relativeError(got, expected)).toBeLessThan(1e-4)
      model.dispose()
      head.dispose()
    },
  )
})
