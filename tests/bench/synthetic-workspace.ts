/** A workspace with many made-up features, for measuring the store and the views at scale. */
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Random } from '../../src/main/engine/train/random'
import { writePieces } from '../../src/main/files/pieces-file'
import { openStore } from '../../src/main/store/store'
import { workspacePaths } from '../../src/main/workspace/workspace'
import type { TokenPieces } from '../../src/shared/token-spans'

const CONTEXTS_PER_FEATURE = 20
const CONTEXT_TOKENS = 32
const VOCABULARY = 512

function makePieces(): TokenPieces {
  const words = Array.from({ length: VOCABULARY }, (_, id) => (id === 0 ? '<s>' : ` word${id}`))
  const encoded = words.map((word) => new TextEncoder().encode(word))
  const offsets = new Int32Array(VOCABULARY + 1)
  encoded.forEach((bytes, id) => (offsets[id + 1] = (offsets[id] ?? 0) + bytes.length))
  const special = new Uint8Array(VOCABULARY)
  special[0] = 1
  return { bytes: new Uint8Array(Buffer.concat(encoded)), offsets, special }
}

/** Fills a new temporary workspace and answers its folder. */
export async function makeWorkspace(features: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'monoscope-bench-'))
  const paths = workspacePaths(folder)
  for (const path of [paths.pieces, paths.backups, paths.exports]) mkdirSync(path, { recursive: true })
  const pieces = makePieces()
  const sha256 = 'a'.repeat(64)
  await writePieces(join(paths.pieces, `${sha256}.safetensors`), pieces)
  const store = openStore({ path: paths.database, backups: paths.backups, folder })
  const model = store.models.add({
    ...{
      name: 'synthetic',
      path: '/nowhere',
      family: 'llama',
      layers: 4,
      dModel: 64,
      heads: 4,
      vocabulary: VOCABULARY,
    },
    ...{ contextSize: 128, dtype: 'F32', parameters: 1, weightBytes: 4, sha256 },
  })
  const dataset = store.datasets.add({
    ...{ name: 'synthetic', path: '/nowhere.txt', format: 'text', textField: null },
    ...{ documents: 1000, bytes: 1e6, sha256, preview: 'word' },
  })
  const sae = store.saes.put({
    ...{
      name: 'synthetic',
      runId: null,
      modelId: model.id,
      hookName: 'blocks.1.hook_resid_post',
      architecture: 'standard',
    },
    ...{ dIn: 64, dSae: features, contextSize: 128, path: join(folder, 'saes/1'), sha256, partial: false },
    ...{ summary: null, backend: null, seed: 0 },
  })
  await store.atlases.run({ saeId: sae.id, datasetId: dataset.id }, makeAtlas(features), pieces)
  store.close()
  return folder
}

function makeAtlas(dSae: number) {
  const random = Random.fromSeed(1)
  const n = dSae * CONTEXTS_PER_FEATURE
  const fill = (length: number, value: (i: number) => number) => Float32Array.from({ length }, (_, i) => value(i))
  const max = fill(dSae, () => 1 + random.uniform() * 40)
  const feature = Int32Array.from({ length: n }, (_, i) => Math.floor(i / CONTEXTS_PER_FEATURE))
  return {
    ...{ tokens: 1_000_000, documents: 1000, droppedTokens: 0, dSae, max },
    fired: Float64Array.from({ length: dSae }, () => Math.ceil(10 ** (random.uniform() * 4))),
    sum: Float64Array.from({ length: dSae }, () => 100),
    histogram: fill(dSae * 50, () => Math.floor(random.uniform() * 100)),
    contexts: {
      feature,
      document: Int32Array.from({ length: n }, () => Math.floor(random.uniform() * 1000)),
      position: new Int32Array(n).fill(20),
      start: new Int32Array(n),
      max: fill(n, (i) => (max[feature[i] ?? 0] ?? 0) * (1 - (i % CONTEXTS_PER_FEATURE) / 40)),
      length: new Int32Array(n).fill(CONTEXT_TOKENS),
      ids: Int32Array.from({ length: n * CONTEXT_TOKENS }, () => 1 + Math.floor(random.uniform() * (VOCABULARY - 1))),
      values: fill(
        n * CONTEXT_TOKENS,
        (i) => (i % CONTEXT_TOKENS === 20 ? 1 : 0) * (max[feature[Math.floor(i / CONTEXT_TOKENS)] ?? 0] ?? 0),
      ),
    },
  }
}
