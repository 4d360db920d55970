/** BOS, end and padding tokens are read by the model and are no text, wherever they stand: one rule for every reader. */
import { join, resolve } from 'node:path'
import { existsSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { readDocuments } from '../../src/main/files/documents'
import { loadModel, loadTokenizer } from '../../src/main/engine/lm'
import { encodeText } from '../../src/main/engine/measure/text-codes'
import { createSae } from '../../src/main/engine/sae/loaded'
import { estimateScale, modelSource, SPECIAL_NORM, walkWindows } from '../../src/main/engine/train/activations'
import { collectCorpus, cutDocument, textTokens, windowCount, type Windows } from '../../src/main/engine/train/contexts'
import { openBackend } from '../../src/main/engine/tf'
import type { Channel } from '../../src/main/tasks/channel'
import { openSource } from '../../src/main/tasks/source'
import { modelFolder } from '../fixtures/built'
import { TOY, toyModel, toyWeights, TOY_TOKENS } from './toy-model'

const inputs = resolve(import.meta.dirname, '../../../shared/trial-2/18-special-token-in-text')
const missing = !existsSync(inputs) || !existsSync(modelFolder)

beforeAll(async () => {
  process.env.MONOSCOPE_BACKEND = 'cpu'
  await openBackend()
})

describe('windows', () => {
  it('never begin with two BOS', () => {
    const bos = { contextSize: 4, bosId: 1 }
    expect([...cutDocument([1, 5, 6, 7, 1, 8], bos)]).toEqual([
      { ids: [1, 5, 6, 7], start: 1 },
      { ids: [1, 8], start: 5 },
    ])
    expect([...cutDocument([1, 1, 1], bos)]).toEqual([])
    expect([...cutDocument([5, 1, 6], bos)]).toEqual([{ ids: [1, 5, 1, 6], start: 0 }])
    expect([...cutDocument([1, 5], { contextSize: 4, bosId: null })]).toEqual([{ ids: [1, 5], start: 0 }])
  })
})

const windowsOf = (ids: number[], bosId: number): Windows => ({
  ...{ ids: Int32Array.from([bosId, ...ids]), offsets: Int32Array.of(0, ids.length + 1) },
  ...{ documents: Int32Array.of(0), starts: Int32Array.of(0) },
})

describe('special tokens in the middle of a text', () => {
  const ids = [5, 6, 2, 7, TOY.bosId, 8]
  const tokens = { bosId: TOY.bosId, specialIds: new Set([TOY.bosId, 2]) }

  it('lie beyond every sink norm, and take no part in the scale', () => {
    const model = toyModel()
    const windows = windowsOf(ids, TOY.bosId)
    const walk = { order: [0], contextSize: 16 }
    const [marked] = walkWindows(modelSource(model, TOY.hookName, tokens), windows, walk)
    const [plain] = walkWindows(modelSource(model, TOY.hookName, TOY_TOKENS), windows, walk)
    expect([...(marked?.norms ?? [])].map((norm) => norm === SPECIAL_NORM)).toEqual([
      false,
      false,
      true,
      false,
      true,
      false,
    ])
    const others = Float32Array.from(plain?.norms.filter((_, t) => t !== 2 && t !== 4) ?? [])
    expect(estimateScale(marked?.norms ?? new Float32Array(), TOY.dIn)).toEqual(estimateScale(others, TOY.dIn))
    expect(textTokens(windows, tokens)).toBe(4)
    model.dispose()
  })

  it('have no features in a text that one reads, and every token keeps its row', async () => {
    const model = toyModel()
    const sae = createSae({ architecture: 'standard', dIn: TOY.dIn, dSae: TOY.dSae, weights: toyWeights() }, '')
    const reader = { model, sae, hookName: TOY.hookName, ...tokens, contextSize: 16, sinkNorm: null }
    const goOn = () => Promise.resolve(true)
    const leading = [TOY.bosId, ...ids]
    const { codes, sinks } = await encodeText(leading, reader, goOn)
    const without = await encodeText(leading, { ...reader, specialIds: new Set() }, goOn)
    expect(codes.starts).toHaveLength(leading.length + 1)
    expect(sinks).toBe(0)
    const row = ({ starts, features, values }: typeof codes, r: number) => ({
      features: [...features.slice(starts[r], starts[r + 1])],
      values: [...values.slice(starts[r], starts[r + 1])],
    })
    leading.forEach((id, r) => {
      const empty = { features: [], values: [] }
      expect(row(codes, r), `row ${r}`).toEqual(tokens.specialIds.has(id) ? empty : row(without.codes, r))
    })
    sae.dispose()
    model.dispose()
  })
})

describe.skipIf(missing)('a text with BOS tokens inside (needs ../shared)', () => {
  it('has as many text tokens as the same text without them', async () => {
    const tokenizer = await loadTokenizer(modelFolder)
    expect(tokenizer.specialIds).toContain(tokenizer.bosId)
    const model = await loadModel(modelFolder)
    const { bosId } = tokenizer
    const options = { contextSize: 128, bosId, seed: 0, neededTokens: 1e6 }
    const counted: number[] = []
    for (const name of ['plain.jsonl', 'joined.jsonl']) {
      const source = { path: join(inputs, name), textField: 'text', deduplicate: false }
      const { training, heldOut } = await collectCorpus(readDocuments(source), tokenizer, options)
      expect(windowCount(heldOut)).toBeGreaterThan(0)
      counted.push(textTokens(training, tokenizer) + textTokens(heldOut, tokenizer))
    }
    expect(counted).toEqual([1110, 1110])
    model.dispose()
  })
})

describe.skipIf(missing)('what was chosen to stand before every text (needs ../shared)', () => {
  it('stands before what is collected and trained on', async () => {
    const channel: Channel = {
      send: () => undefined,
      isCancelled: () => false,
      backend: { name: 'cpu', device: 'cpu', reason: '' },
      threadEntry: '',
    }
    for (const [textStart, bosId] of [
      ['own', 1],
      ['bos', 1],
      ['none', null],
    ] as const) {
      const opened = await openSource({ path: modelFolder, textStart }, 'blocks.0.hook_resid_post', channel)
      expect([opened.source.bosId, opened.tokenizer.bosId], textStart).toEqual([bosId, bosId])
      // It is no text, wherever it stands, whatever was chosen.
      expect(opened.source.specialIds).toContain(1)
      opened.source.dispose()
    }
  })
})
