/** What is special in Gemma 3 and Phi-3: each part changes the logits, so that a comparison would notice its absence; and the border of longrope. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkModel, continueAll, generate, loadModel } from '../../src/main/engine/lm'
import { KeyValueCache } from '../../src/main/engine/lm/cache'
import type { LanguageModel } from '../../src/main/engine/lm'
import { memoryReport, openBackend, tf } from '../../src/main/engine/tf'
import { relativeError } from './goldens'
import { idsTensor } from './lm-goldens'
import { idsOfEach, paddingError } from './lm-operations'
import { gemma3Images, gemma3Local, gemma3Newer, phi3Border, phi3Long, phi3Short, phi3Window } from './reference-cases'
import { caseWeights, drawIds, writeCheckpoint } from './reference-fixture'
import { anglesOf, llamaLike } from './reference-model'
import type { ReferenceSpec } from './reference-model'
import { greedyText, runReference } from './reference-run'

/** The comparison with the engine allows 1e-4. */
const NOTICED = 1e-3

type Turning = ReferenceSpec['turning']
const plain: Turning = () => ({ angles: anglesOf(10000, 8), magnitude: 1 })
const unscaled =
  (turning: Turning): Turning =>
  (layer, length) => ({ ...turning(layer, length), magnitude: 1 })

const PARTS: [string, typeof gemma3Local, Partial<ReferenceSpec>][] = [
  ['the window of local layers', gemma3Local, { window: () => null }],
  ['no window in global layers', gemma3Local, { window: () => 5 }],
  ['windows of 5 positions, not 6', gemma3Local, { window: (layer) => (layer === 2 ? null : 6) }],
  [
    'the base of local layers',
    gemma3Local,
    { turning: (layer) => ({ angles: anglesOf(1e6, 8, () => (layer === 2 ? 8 : 1)), magnitude: 1 }) },
  ],
  ['the base of global layers, and its scaling', gemma3Local, { turning: plain }],
  [
    'the scaling of global layers',
    gemma3Local,
    { turning: (layer) => ({ angles: anglesOf(layer === 2 ? 1e6 : 10000, 8), magnitude: 1 }) },
  ],
  ['norms with 1 + weight', gemma3Local, { onePlus: false }],
  ['norms of queries and keys', gemma3Local, { headNorms: false }],
  ['the factor of the embedding', gemma3Local, { embedFactor: 1 }],
  ['the factor of the scores', gemma3Local, { scoreFactor: 1 / Math.sqrt(8) }],
  ['the tanh GELU', gemma3Local, { gate: 'silu' }],
  ['the cap of scores', gemma3Newer, { scoreCap: null }],
  ['the cap of logits', gemma3Newer, { logitCap: null }],
  ['the window of phi3', phi3Window, { window: () => null }],
  ['grouped queries', phi3Window, { kvHeads: 4, fused: true, heads: 2 }],
  ['partly turned heads', phi3Short, { turning: plain }],
  ['the magnitude of longrope', phi3Short, { turning: unscaled(phi3Short.spec.turning) }],
  ['the short factors', phi3Short, { turning: phi3Long.spec.turning }],
  ['the long factors', phi3Long, { turning: (layer) => phi3Long.spec.turning(layer, 1) }],
]

describe('a comparison notices', () => {
  it.each(PARTS)('%s', (_, { spec, ...of }, change) => {
    const weights = caseWeights({ ...of })
    const ids = drawIds(14, 2)
    const logits = (changed: ReferenceSpec) => runReference(llamaLike(changed, weights), ids).get('logits') ?? []
    expect(relativeError(logits({ ...spec, ...change }), logits(spec))).toBeGreaterThan(NOTICED)
  })
})

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'monoscope-parts-'))
  await openBackend('cpu')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Tokens at which the factors of phi3Border change. */
const BORDER = 16

it.each([gemma3Local, phi3Short])('$name is freed whole, fused maps and tables included', async (of) => {
  const before = memoryReport().tensors
  const path = join(folder, `${of.name}-freed`)
  await writeCheckpoint(path, of, caseWeights(of))
  const model = await loadModel(path)
  tf.tidy(() => void model.forward(idsTensor([1, 2, 3])))
  expect(memoryReport().tensors).toBeGreaterThan(before)
  model.dispose()
  expect(memoryReport().tensors).toBe(before)
})

describe('longrope at its border', () => {
  let model: LanguageModel
  const weights = caseWeights(phi3Border)
  const reference = phi3Border.reference(weights)
  beforeAll(async () => {
    await writeCheckpoint(join(folder, phi3Border.name), phi3Border, weights)
    model = await loadModel(join(folder, phi3Border.name))
  })
  afterAll(() => model.dispose())

  it.each([BORDER - 1, BORDER, BORDER + 1])('reads a text of %i tokens as the reference does', async (length) => {
    const ids = drawIds(length, 40)
    const input = idsTensor(ids)
    const { logits } = model.forward(input)
    expect(relativeError(await logits!.data(), runReference(reference, ids).get('logits') ?? [])).toBeLessThan(1e-4)
    tf.dispose([input, logits!])
  })
  it.each([true, false])('continues a text across it as the reference does, key/value cache %s', async (kvCache) => {
    const ids = drawIds(BORDER - 5, 43)
    const { tokens, lead } = greedyText(reference, ids, 12)
    expect(lead).toBeGreaterThan(1e-3)
    expect(await generate(model, ids, 12, { kvCache })).toEqual(tokens)
  })
  it.each([true, false])(
    'continues texts on both sides of it together as alone, key/value cache %s',
    async (kvCache) => {
      const prompts = [BORDER + 2, BORDER - 4, 5].map((length, i) => drawIds(length, 50 + i))
      const together = await idsOfEach(continueAll(model, prompts, { maxTokens: 9, kvCache }), prompts.length)
      for (const [i, prompt] of prompts.entries()) {
        expect(together[i]).toEqual(await generate(model, prompt, 9, { kvCache }))
      }
    },
  )
  it('judges each text of a batch by its own length, not that of the padded rows', async () => {
    expect(await paddingError(model, drawIds(8, 44), drawIds(BORDER + 4, 45))).toBeLessThan(1e-5)
    expect(await paddingError(model, drawIds(BORDER + 1, 46), drawIds(BORDER + 4, 47))).toBeLessThan(1e-5)
  })
  it('does not use a cache beyond it that was filled before it', () => {
    const cache = new KeyValueCache()
    const pass = (length: number) => tf.tidy(() => void model.forward(idsTensor(drawIds(length, 60)), { cache }))
    pass(BORDER)
    expect(() => pass(1)).toThrow('keys of 16 tokens do not hold for a text of more than 16')
    cache.dispose()
  })
})

describe('the text part of a model that reads images', () => {
  const { beside = [] } = gemma3Images
  it.each(['language_model.model.', 'model.language_model.', 'language_model.'])(
    'is found under %s',
    async (prefix) => {
      const path = join(folder, prefix)
      const of = {
        ...gemma3Images,
        prefix,
        beside: beside.map(([name, shape]): [string, number[]] => [`model.${name}`, shape]),
      }
      const extra: [string, number[]][] = [['language_model.lm_head.weight', [53, 16]], ['other.weight', [2]]] // prettier-ignore
      await writeCheckpoint(path, { ...of, beside: [...of.beside, ...extra] }, caseWeights(gemma3Images))
      const { config, unused, weights } = await checkModel(path)
      await weights.close()
      expect(config).toMatchObject({ family: 'gemma3_text', layers: 7, dModel: 16, bosId: 2 })
      expect(unused).toEqual(['other.weight'])
      const model = await loadModel(path)
      const ids = drawIds(9, 70)
      const input = idsTensor(ids)
      const { logits } = model.forward(input)
      const expected = runReference(gemma3Images.reference(caseWeights(gemma3Images)), ids).get('logits') ?? []
      expect(relativeError(await logits!.data(), expected)).toBeLessThan(1e-4)
      tf.dispose([input, logits!])
      model.dispose()
    },
  )
})
