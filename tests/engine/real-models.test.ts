/** Two published models against transformers in float32: ids, losses, logits, norms and greedy text. MONOSCOPE_REAL_MODELS says where they are. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { continueAll, loadModel, loadTokenizer, promptIds, readTokens } from '../../src/main/engine/lm'
import type { LanguageModel, Tokenizer } from '../../src/main/engine/lm'
import { openBackend, tf } from '../../src/main/engine/tf'
import { realModel } from './real-models'
import type { RealReference } from './real-models'

type Case = RealReference['cases'][number]

/** Logits after the last token, and the norm there after every layer that the reference names. */
async function lastOf(model: LanguageModel, { ids, norms }: Case) {
  const hooks = Object.keys(norms).map((layer) => `blocks.${layer}.hook_resid_post`)
  const input = tf.tensor2d([ids], [1, ids.length], 'int32')
  const { logits, captured } = model.forward(input, { capture: hooks, lastOnly: true })
  const found = hooks.map((hook) => {
    const all = captured[hook]?.dataSync<'float32'>() ?? new Float32Array()
    return Math.hypot(...all.subarray(-model.config.dModel))
  })
  const values = await logits?.data<'float32'>()
  tf.dispose([input, captured, ...(logits ? [logits] : [])])
  return { logits: values ?? new Float32Array(), norms: found }
}

async function greedy(model: LanguageModel, stopIds: readonly number[], { ids, greedy: wanted }: Case) {
  const made: number[] = []
  for await (const event of continueAll(model, [ids], { maxTokens: wanted.length, stopIds }))
    if (event.type === 'token') made.push(event.id)
  return made
}

/** Weights of over a gigabyte are read from disk and widened. */
const LOAD_MS = 120_000

describe.each(['smollm2', 'gemma3-270m'])('%s', (name) => {
  const real = realModel(name)
  if ('missing' in real) {
    it.skip(real.missing, () => undefined)
    return
  }
  const { folder, reference } = real
  const { cases, limits } = reference
  let model: LanguageModel
  let tokenizer: Tokenizer
  beforeAll(async () => {
    await openBackend()
    model = await loadModel(folder)
    tokenizer = await loadTokenizer(folder, model.config.vocabulary)
  }, LOAD_MS)
  afterAll(() => model.dispose())

  it.each(cases)('has the ids of $name', async ({ text, ids }) => {
    const { bosId } = tokenizer
    const encoder = { encode: (part: string) => tokenizer.encode(part), bosId, contextSize: model.config.contextSize }
    expect(await promptIds(encoder, text)).toEqual(ids)
  })

  it.each(cases)('has the mean loss and next tokens of $name', async ({ ids, ce, top }) => {
    const read = await readTokens(model, ids, top.length)
    const losses = [...read.losses.subarray(1)]
    expect(Math.abs(losses.reduce((sum, loss) => sum + loss, 0) / losses.length - ce)).toBeLessThan(limits.ceAbsolute)
    expect([...read.nextIds.subarray(-top.length)]).toEqual(top.map(({ id }) => id))
  })

  it.each(cases)('has the logits and norms of $name', async (one) => {
    const last = await lastOf(model, one)
    for (const { id, logit } of one.top)
      expect(Math.abs((last.logits[id] ?? NaN) - logit)).toBeLessThan(limits.logitAbsolute)
    Object.values(one.norms).forEach(({ last: wanted }, i) =>
      expect(Math.abs((last.norms[i] ?? NaN) / wanted - 1)).toBeLessThan(limits.normRelative),
    )
  })

  it.each(cases.filter(({ gap }) => gap > limits.logitAbsolute))('writes on greedily as $name', async (one) => {
    const made = await greedy(model, tokenizer.stopIds, one)
    expect(made.slice(0, one.greedy.length)).toEqual(one.greedy)
  })
})
