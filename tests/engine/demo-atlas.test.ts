/** The atlas that ships with the demo: taken by the job for the very files it is of, and what it says is what the engine computes. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { demoAtlasSpec } from '../../scripts/demo/atlas-spec'
import { loadModel, loadTokenizer } from '../../src/main/engine/lm'
import { encodeText } from '../../src/main/engine/measure/text-codes'
import type { TextCodes } from '../../src/main/engine/measure/text-codes'
import { createSae } from '../../src/main/engine/sae/loaded'
import { Random } from '../../src/main/engine/train/random'
import { readAtlas } from '../../src/main/files/atlas-file'
import { CorpusTokens } from '../../src/main/files/corpus-tokens'
import { readSaelens, sha256OfFile, WEIGHTS_FILE } from '../../src/main/files/saelens'
import type { AtlasSpec, FromWorker } from '../../src/main/jobs/messages'
import { runAtlas, sinkNormOf } from '../../src/main/tasks/atlas'
import { atlasOrigin, findShippedAtlas, SHIPPED_ATLAS } from '../../src/main/tasks/shipped-atlas'
import { copyDemo } from '../../src/main/workspace/demo-files'
import { openTestBackend } from './goldens'

const backend = await openTestBackend('wasm')
if (!backend) throw new Error('WebAssembly is always there')
const DOCUMENTS = 12
const DOCUMENT_TOKENS = 500
/** Made with another backend; measured 4.3e-6 at most, relative or below 1. */
const NEAR = 1e-4
let root = ''
let spec: AtlasSpec
const sent: FromWorker[] = []
const channel = {
  backend,
  threadEntry: '',
  isCancelled: () => false,
  send: (message: FromWorker) => sent.push(message),
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monoscope-demo-atlas-'))
  spec = await demoAtlasSpec(await copyDemo(resolve(import.meta.dirname, '../../resources/demo'), root), root)
})
afterAll(() => rm(root, { recursive: true }))

/** The active features of a document, as own text is encoded. */
async function readerOf(): Promise<(ids: number[]) => Promise<TextCodes>> {
  const model = await loadModel(spec.model.path)
  const { bosId, specialIds } = await loadTokenizer(spec.model.path, model.config.vocabulary)
  const stored = await readSaelens(spec.sae.path)
  const { hookName, contextSize } = spec.sae
  const sae = createSae(stored, spec.sae.path)
  const reader = { model, sae, hookName, bosId, specialIds, contextSize, sinkNorm: sinkNormOf(stored) }
  return (ids) => encodeText(ids, reader, () => Promise.resolve(true))
}

function activationOf({ codes }: TextCodes, token: number, feature: number): number {
  const [begin, end] = [codes.starts[token] ?? 0, codes.starts[token + 1] ?? 0]
  const at = codes.features.subarray(begin, end).indexOf(feature)
  return at < 0 ? 0 : (codes.values[begin + at] ?? 0)
}

it('is taken by the job, without any passing over the text', async () => {
  expect(await runAtlas(spec, channel)).toBe(true)
  expect(sent.map(({ type }) => type)).toEqual(['atlas'])
})

it('has at every context the activation that the model gives there', async () => {
  const atlas = await readAtlas(spec.file)
  expect([atlas.documents, atlas.dSae, atlas.tokens + atlas.sinkTokens]).toEqual([700, 4096, 475_182])
  const tokens = CorpusTokens.open(spec.tokensFile)
  const encode = await readerOf()
  const short = Array.from({ length: atlas.documents }, (_, d) => d).filter(
    (d) => tokens.lengthOf(d) > 20 && tokens.lengthOf(d) <= DOCUMENT_TOKENS,
  )
  const random = Random.fromSeed(6)
  const drawn = new Set(Array.from({ length: DOCUMENTS }, () => short[random.int(short.length)] ?? 0))
  const { feature, document, start, marked, value } = atlas.contexts
  let checked = 0
  for (const d of drawn) {
    const found = await encode([...tokens.read(d, 0, tokens.lengthOf(d))])
    document.forEach((other, row) => {
      if (other !== d) return
      const expected = value[row] ?? 0
      const actual = activationOf(found, (start[row] ?? 0) + (marked[row] ?? 0), feature[row] ?? 0)
      expect(Math.abs(actual - expected), `feature ${feature[row] ?? 0}`).toBeLessThan(NEAR * Math.max(1, expected))
      checked += 1
    })
  }
  tokens.close()
  expect(checked).toBeGreaterThan(500)
}, 120_000)

it('is not taken for other settings, another text, or when it is damaged', async () => {
  const sha256 = await sha256OfFile(join(spec.sae.path, WEIGHTS_FILE))
  const find = (asked: AtlasSpec, sae = sha256) => findShippedAtlas(asked, atlasOrigin(asked, sae))
  expect(await find(spec)).not.toBeNull()
  expect(await find({ ...spec, topContexts: spec.topContexts + 1 })).toBeNull()
  expect(await find({ ...spec, dataset: { ...spec.dataset, textField: null } })).toBeNull()
  expect(await find({ ...spec, dataset: { ...spec.dataset, sha256: 'f'.repeat(64) } })).toBeNull()
  expect(await find(spec, '0'.repeat(64))).toBeNull()
  await writeFile(join(spec.sae.path, SHIPPED_ATLAS), 'no gzip')
  expect(await find(spec)).toBeNull()
})
