/** A published tokenizer with one added token more than the embedding has rows, as Gemma 3 1B: read, and refused only where that token is. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { loadModel, loadTokenizer, promptIds, readTokens } from '../../src/main/engine/lm'
import { openBackend } from '../../src/main/engine/tf'

const folder = resolve(import.meta.dirname, '../../../shared/trial-2/06-tokenizer-one-more/gemma3')
const Expected = z.object({ text: z.string(), losses: z.array(z.number().nullable()), best_next: z.array(z.int()) })

it.skipIf(!existsSync(folder))('has the losses of the reference (needs ../shared)', async () => {
  process.env.MONOSCOPE_BACKEND = 'cpu'
  await openBackend()
  const expected = Expected.parse(JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')))
  const model = await loadModel(folder)
  const { vocabulary, contextSize } = model.config
  const tokenizer = await loadTokenizer(folder, vocabulary)
  expect(tokenizer.vocabulary).toBe(vocabulary + 1)
  const encode = (text: string) => tokenizer.encode(text)
  const ids = await promptIds({ encode, bosId: tokenizer.bosId, contextSize }, expected.text)
  const { losses } = await readTokens(model, ids, 1)
  expect(losses).toHaveLength(expected.losses.length)
  // The reference is rounded to four places.
  expected.losses.forEach((loss, at) => {
    if (loss !== null) expect(Math.abs((losses[at] ?? Number.NaN) - loss), `token ${at}`).toBeLessThan(2e-4)
  })
  const { added_tokens: added } = z
    .looseObject({ added_tokens: z.array(z.looseObject({ id: z.int(), content: z.string() })) })
    .parse(JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8')))
  const { content = '' } = added.find(({ id }) => id === vocabulary) ?? {}
  await expect(encode(`the fox ${content}`)).rejects.toThrow(expect.objectContaining({ code: 'token-without-row' }))
  model.dispose()
})
