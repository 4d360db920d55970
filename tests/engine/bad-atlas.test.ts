/** The atlas job on what does not fit or is almost nothing: another width, a hook beyond the model, texts shorter than a context, no text. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Random } from '../../src/main/engine/train/random'
import { readAtlas } from '../../src/main/files/atlas-file'
import { writeSaelens } from '../../src/main/files/saelens'
import { reportSkip, storiesFolder } from './goldens'
import { buildWorker, removeWorker, TestWorker } from './worker-process'

const stories = storiesFolder()
if (!stories) reportSkip('the atlas of bad input', 'the stories260K model is absent')
const hookName = 'blocks.2.hook_resid_post'
const D_SAE = 8
let root = ''
let entry = ''

beforeAll(async () => {
  if (!stories) return
  root = await mkdtemp(join(tmpdir(), 'monoscope-bad-atlas-'))
  entry = await buildWorker()
}, 120_000)
afterAll(async () => {
  if (!stories) return
  await rm(root, { recursive: true })
  await removeWorker()
})

/** An untrained autoencoder of a width. */
async function makeSae(dIn: number, sinkNorm: number | null): Promise<string> {
  const path = await mkdtemp(join(root, 'sae-'))
  const random = Random.fromSeed(dIn)
  const values = (count: number) => Float32Array.from({ length: count }, () => random.uniform() - 0.5)
  const weights = {
    ...{ wEnc: { shape: [dIn, D_SAE], data: values(dIn * D_SAE) }, bEnc: { shape: [D_SAE], data: values(D_SAE) } },
    ...{ wDec: { shape: [D_SAE, dIn], data: values(dIn * D_SAE) }, bDec: { shape: [dIn], data: values(dIn) } },
  }
  const sae = { architecture: 'standard' as const, dIn, dSae: D_SAE, weights, shiftsInput: false, k: null }
  const monoscope: Record<string, number> = sinkNorm === null ? {} : { sink_norm: sinkNorm }
  const origin = { ...{ modelName: 'm', hookName, contextSize: 64, prependBos: true, datasetPath: 'd' }, monoscope }
  await writeSaelens(path, sae, { origin, firingShare: new Float64Array(D_SAE) })
  return path
}

type Asked = { dIn?: number; hook?: string; sinkNorm?: number | null }

/** Runs the job on some texts. */
async function build(texts: string[], { dIn = 64, hook = hookName, sinkNorm = 1e6 }: Asked = {}) {
  const folder = await mkdtemp(join(root, 'job-'))
  const [file, tokensFile] = [join(folder, 'atlas.safetensors'), join(folder, 'tokens.safetensors')]
  const path = join(folder, 'corpus.jsonl')
  await writeFile(path, texts.map((text) => `${JSON.stringify({ text })}\n`).join(''))
  const worker = new TestWorker(entry, 'wasm')
  worker.tell({
    type: 'start',
    spec: {
      ...{ kind: 'atlas', model: { name: 'stories', path: stories ?? '', sha256: 'a' }, file, tokensFile, seed: 0 },
      ...{ dataset: { name: 'corpus', path, textField: 'text', deduplicate: false, sha256: 'text' } },
      ...{ sae: { path: await makeSae(dIn, sinkNorm), hookName: hook, contextSize: 64 } },
      ...{ topContexts: 20, intervalContexts: 10 },
    },
  })
  expect(await worker.exited).toBe(0)
  return { last: worker.messages.at(-1), file, path }
}

describe.skipIf(!stories)('the atlas job', () => {
  it('refuses an autoencoder of another width with both widths', async () => {
    const { last } = await build(['Once upon a time'], { dIn: 48 })
    expect(last).toMatchObject({ type: 'failed', failure: { code: 'sae-invalid' } })
    expect(last).toHaveProperty('failure.details.reason', 'it reads 48 values, the model gives 64')
  }, 60_000)

  it('refuses a hook that the model does not have with the hook and the last one', async () => {
    const hook = 'blocks.9.hook_resid_post'
    const { last } = await build(['Once upon a time'], { hook })
    const details = { hookName: hook, lastLayer: 4 }
    expect(last).toMatchObject({ type: 'failed', failure: { code: 'hook-unknown', details } })
  }, 60_000)

  it.each([1e6, null])(
    'counts a text far shorter than a context, with the sink norm %s',
    async (sinkNorm) => {
      const { last, file } = await build(['One day'], { sinkNorm })
      expect(last).toEqual({ type: 'done' })
      const atlas = await readAtlas(file)
      expect(atlas).toMatchObject({ documents: 1, tokens: 2, sinkTokens: 0, bosTokens: 1, dSae: D_SAE })
      expect(atlas.tokens + atlas.sinkTokens).toBeGreaterThan(0)
      expect(atlas.tokens + atlas.sinkTokens).toBeLessThan(10)
      expect(Math.max(...atlas.fired)).toBeLessThanOrEqual(atlas.tokens)
      expect(Math.max(...atlas.fired)).toBeGreaterThan(0)
      const ends = Array.from(atlas.contexts.start, (start, row) => start + (atlas.contexts.length[row] ?? 0))
      expect(Math.max(...ends)).toBe(2)
    },
    60_000,
  )

  it.each([
    ['no documents', [], 1e6],
    ['only empty documents', ['', ''], 1e6],
    ['only empty documents and an unknown sink norm', ['', ''], null],
  ])(
    'refuses %s plainly',
    async (_, texts, sinkNorm) => {
      const { last, path } = await build(texts, { sinkNorm })
      expect(last).toMatchObject({ type: 'failed', failure: { code: 'dataset-empty', details: { path } } })
    },
    60_000,
  )
})
