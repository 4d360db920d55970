/** The pretrained test model on one backend: its tokenizer, its cross-entropy and its own greedy text. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { crossEntropy, generate, loadModel, loadTokenizer } from '../../src/main/engine/lm'
import type { LanguageModel, Tokenizer } from '../../src/main/engine/lm'
import { tf } from '../../src/main/engine/tf'
import { toText } from '../../src/shared/token-spans'
import { meanOf, relativeError, report } from './goldens'
import { idsTensor } from './lm-goldens'

const LIMIT = 1e-4
const HOOK = 'blocks.2.hook_resid_post'

const Expected = z.object({
  samples: z.array(
    z.object({
      text: z.string(),
      ids: z.array(z.int()),
      mean_cross_entropy_nats: z.number(),
      last_logits_first8: z.array(z.number()),
      resid_post_2_last_first8: z.array(z.number()),
    }),
  ),
  greedy_24_from_Once_upon_a_time: z.array(z.int()),
})
type Sample = z.infer<typeof Expected>['samples'][number]

async function compareSample(model: LanguageModel, sample: Sample): Promise<number> {
  const ids = idsTensor(sample.ids)
  const { logits, captured } = model.forward(ids, { capture: [HOOK] })
  const ce = crossEntropy(logits!, ids)
  const nats = await ce.data()
  expect(Math.abs(meanOf(nats) - sample.mean_cross_entropy_nats)).toBeLessThan(LIMIT)
  const last = sample.ids.length - 1
  const lastLogits = (await logits!.data()).subarray(last * model.config.vocabulary).subarray(0, 8)
  const lastResid = (await captured[HOOK]!.data()).subarray(last * model.config.dModel).subarray(0, 8)
  const errors = [
    relativeError(lastLogits, sample.last_logits_first8),
    relativeError(lastResid, sample.resid_post_2_last_first8),
  ]
  for (const error of errors) expect(error).toBeLessThan(LIMIT)
  tf.dispose([ids, logits!, ce, captured])
  return Math.max(...errors)
}

/** Registers the tests of the model in `folder` on the backend that is open. */
export function testStories(folder: string, backend: string): void {
  describe(`stories260K on ${backend}`, () => {
    const expected = Expected.parse(JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')))
    let model: LanguageModel
    let tokenizer: Tokenizer
    let worst = 0
    let tensors = 0
    beforeAll(async () => {
      model = await loadModel(folder)
      tokenizer = await loadTokenizer(folder, model.config.vocabulary)
    })
    afterAll(() => {
      report('stories260K', backend, { tensors, worst })
      model.dispose()
    })

    it.each(expected.samples)('reads and predicts: $text', async (sample) => {
      expect([tokenizer.bosId, ...(await tokenizer.encode(sample.text))]).toEqual(sample.ids)
      // The first piece shows the space that SentencePiece puts before a text.
      expect(toText(sample.ids, tokenizer.pieces)).toBe(` ${sample.text}`)
      worst = Math.max(worst, await compareSample(model, sample))
      tensors += 2
    })
    it.each([true, false])('tells its story, key/value cache %s', async (kvCache) => {
      const all = expected.greedy_24_from_Once_upon_a_time
      const prompt = all.slice(0, -24)
      expect(await generate(model, prompt, 24, { kvCache })).toEqual(all.slice(-24))
    })
  })
}
