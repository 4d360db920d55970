/** Continuing and reading texts with the pretrained model: seeds, stops, context ends, losses and what is expected next. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { continueAll, crossEntropy, loadModel, loadTokenizer, promptIds, readTokens } from '../../src/main/engine/lm'
import type { ContinueEvent, ContinueOptions, LanguageModel, Tokenizer } from '../../src/main/engine/lm'
import { KeyValueCache } from '../../src/main/engine/lm/cache'
import { memoryReport, openBackend, tf } from '../../src/main/engine/tf'
import { relativeError, reportSkip, storiesFolder } from './goldens'
import { idsOfEach } from './lm-operations'

const stories = storiesFolder()
if (!stories) reportSkip('continuing and reading texts', 'the folder of the model is absent')

describe.skipIf(!stories)('a pretrained model on wasm', () => {
  let model: LanguageModel
  let tokenizer: Tokenizer
  beforeAll(async () => {
    await openBackend('wasm')
    model = await loadModel(stories ?? '')
    tokenizer = await loadTokenizer(stories ?? '', model.config.vocabulary)
  })
  afterAll(() => model.dispose())

  const ids = (text: string) =>
    promptIds(
      { encode: (t) => tokenizer.encode(t), bosId: tokenizer.bosId, contextSize: model.config.contextSize },
      text,
    )
  const events = async (prompts: number[][], options: ContinueOptions) => {
    const all: ContinueEvent[] = []
    for await (const event of continueAll(model, prompts, options)) all.push(event)
    return all
  }

  it('writes the same for a seed, another text for another, and prompts have streams of their own', async () => {
    const options = { maxTokens: 20, temperature: 1, topP: 0.9 }
    const prompts = [await ids('Once upon a time'), await ids('Once upon a time')]
    const first = await idsOfEach(continueAll(model, prompts, { ...options, seed: 5 }), 2)
    expect(await idsOfEach(continueAll(model, prompts, { ...options, seed: 5 }), 2)).toEqual(first)
    expect(await idsOfEach(continueAll(model, prompts, { ...options, seed: 6 }), 2)).not.toEqual(first)
    expect(first[0]).not.toEqual(first[1])
    expect(first.map((made) => made.length)).toEqual([20, 20])
  })
  it('ends each prompt by itself: at its length, at a stop token, at the end of the context', async () => {
    const prompts = [await ids('Once upon a time'), await ids('Tom had a red ball')]
    const [plain = []] = await idsOfEach(continueAll(model, prompts, { maxTokens: 12 }), 2)
    const stop = plain[4] ?? 0
    const ended = (await events(prompts, { maxTokens: 12, stopIds: [stop] })).filter(({ type }) => type === 'end')
    expect(ended).toContainEqual({ type: 'end', prompt: 0, reason: 'stop-token' })
    expect(ended).toHaveLength(2)
    const { contextSize } = model.config
    const full = Array.from({ length: contextSize }, (_, i) => 3 + (i % 400))
    const atEnd = await events([full, full.slice(0, -2)], { maxTokens: 9 })
    expect(atEnd.filter(({ type }) => type === 'end')).toEqual([
      { type: 'end', prompt: 0, reason: 'context' },
      { type: 'end', prompt: 1, reason: 'context' },
    ])
    expect(atEnd.filter(({ type }) => type === 'token')).toHaveLength(2)
  })
  it('computes the same through a cache that has been joined several times as at once', async () => {
    const before = memoryReport().tensors
    const text = Array.from({ length: 200 }, (_, i) => 3 + ((i * 37) % 400))
    const cache = new KeyValueCache()
    const read = (ids: number[]) =>
      tf.tidy(() => model.forward(tf.tensor2d([ids], [1, ids.length], 'int32'), { cache, lastOnly: true }).logits!)
    for (const id of [text.slice(0, 7), ...text.slice(7, -1).map((one) => [one])]) read(id).dispose()
    const last = read(text.slice(-1))
    const whole = tf.tidy(() => model.forward(tf.tensor2d([text], [1, 200], 'int32'), { lastOnly: true }).logits!)
    expect(cache.length).toBe(200)
    expect(relativeError(await last.data(), await whole.data())).toBeLessThan(1e-5)
    cache.dispose()
    tf.dispose([last, whole])
    expect(memoryReport().tensors).toBe(before)
  })
  it('leaves nothing behind when the asker goes away', async () => {
    const before = memoryReport().tensors
    for await (const event of continueAll(model, [await ids('Once')], { maxTokens: 50 }))
      if (event.type === 'token') break
    expect(memoryReport().tensors).toBe(before)
  })
  it('reads losses, ranks and expectations as its logits say', async () => {
    const read = await ids('Once upon a time, there was a little girl named Lily.')
    const before = memoryReport().tensors
    const { losses, ranks, nextIds, nextProbabilities } = await readTokens(model, read, 4)
    expect(memoryReport().tensors).toBe(before)
    const input = tf.tensor2d([read], [1, read.length], 'int32')
    const { logits } = model.forward(input)
    const nats = await crossEntropy(logits!, input).data()
    expect([losses[0], ranks[0]]).toEqual([-1, -1])
    expect(relativeError(losses.subarray(1), nats)).toBeLessThan(1e-5)
    const { vocabulary } = model.config
    const all = await logits!.data()
    for (let at = 0; at < read.length; at++) {
      const row = Array.from(all.subarray(at * vocabulary, (at + 1) * vocabulary))
      const order = row.map((_, id) => id).sort((a, b) => row[b]! - row[a]! || a - b)
      expect([...nextIds.subarray(at * 4, at * 4 + 4)]).toEqual(order.slice(0, 4))
      if (at + 1 < read.length) expect(ranks[at + 1]).toBe(order.indexOf(read[at + 1]!))
    }
    expect(Math.exp(-(losses[2] ?? 0))).toBeLessThanOrEqual((nextProbabilities[4] ?? 0) + 1e-6)
  })
  it('refuses what it cannot read', async () => {
    await expect(ids(' ')).rejects.toThrow(expect.objectContaining({ code: 'prompt-empty' }))
    const tooLong = Array<number>(model.config.contextSize + 1).fill(3)
    await expect(readTokens(model, tooLong, 1)).rejects.toThrow(expect.objectContaining({ code: 'prompt-too-long' }))
    await expect(readTokens(model, [], 1)).rejects.toThrow(expect.objectContaining({ code: 'prompt-empty' }))
  })
  it('does not write a second BOS before a text that has one', async () => {
    const [bos] = await ids('Once')
    const encoder = { encode: () => [bos ?? 0, 5], bosId: bos ?? null, contextSize: 8 }
    expect(await promptIds(encoder, 'x')).toEqual([bos, 5])
  })
})
