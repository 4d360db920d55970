/** The scale and the median norm from few tokens: within about 1 % of those of all tokens of a real text, whichever windows are drawn. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadModel, loadTokenizer } from '../../src/main/engine/lm'
import { ESTIMATION_TOKENS, estimateScale, modelSource, walkWindows } from '../../src/main/engine/train/activations'
import { collectCorpus, windowCount } from '../../src/main/engine/train/contexts'
import { Random } from '../../src/main/engine/train/random'
import { measureScale } from '../../src/main/engine/train/stream'
import { openBackend } from '../../src/main/engine/tf'
import { readDocuments } from '../../src/main/files/documents'
import { missingModel, modelFolder } from '../fixtures/built'

const CONTEXT = 128
const ALL_TOKENS = 60_000

it.skipIf(missingModel)(
  'is measured on few tokens as on many',
  async () => {
    await openBackend('wasm')
    const model = await loadModel(modelFolder)
    const tokenizer = await loadTokenizer(modelFolder)
    const source = modelSource(model, 'blocks.2.hook_resid_post', tokenizer)
    const text = { path: join(modelFolder, 'corpus.jsonl'), textField: 'text', deduplicate: false }
    const options = { contextSize: CONTEXT, bosId: tokenizer.bosId, seed: 0, neededTokens: ALL_TOKENS }
    const { training } = await collectCorpus(readDocuments(text), tokenizer, options)
    const inOrder = Int32Array.from({ length: windowCount(training) }, (_, w) => w)
    const norms: number[] = []
    for (const found of walkWindows(source, training, { order: inOrder, contextSize: CONTEXT }))
      norms.push(...found.norms)
    expect(norms.length).toBeGreaterThan(6 * ESTIMATION_TOKENS)
    const all = estimateScale(Float32Array.from(norms), source.dIn)
    for (const seed of [1, 2, 3]) {
      const order = Random.fromSeed(seed).shuffle(inOrder.slice())
      const found = measureScale(source, training, { order, contextSize: CONTEXT })
      expect(found.tokens).toBeLessThan(2 * ESTIMATION_TOKENS)
      expect(Math.abs(found.medianNorm / all.medianNorm - 1)).toBeLessThan(0.01)
      expect(Math.abs(found.scale / all.scale - 1)).toBeLessThan(0.01)
    }
    source.dispose()
  },
  120_000,
)
