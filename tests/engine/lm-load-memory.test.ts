/** Loading reads tensor by tensor: a checkpoint of 200 MB is never in memory twice. Each backend loads it in a process of its own. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { llama } from '../../src/main/engine/lm/llama'
import { writeSafetensors } from '../../src/main/files/safetensors'
import type { TensorToWrite } from '../../src/main/files/safetensors'
import { reportSkip } from './goldens'

const CONFIG = {
  ...{ model_type: 'llama', hidden_size: 1024, intermediate_size: 2816, num_hidden_layers: 4, num_attention_heads: 16 },
  ...{ vocab_size: 512, max_position_embeddings: 128, tie_word_embeddings: false },
}
/** Of the language, the backend's code, and the collector, which lets go of read tensors late. Measured: 70 to 116 MB. */
const EXTRA_BYTES = 160e6
const Answer = z.object({ before: z.number(), after: z.number(), tensorBytes: z.number(), parameters: z.number() })

const ROOT = resolve(import.meta.dirname, '../..')
/** Inside node_modules, so that packages resolve from there and nothing else looks at it. */
const built = join(ROOT, 'node_modules', '.cache', `monoscope-load-${process.pid}`)
const canMeasure = existsSync('/proc/self/status')
if (!canMeasure) reportSkip('memory of loading', 'this system does not tell the peak of a process')

let folder: string
beforeAll(async () => {
  if (!canMeasure) return
  folder = await mkdtemp(join(tmpdir(), 'monoscope-load-'))
  await writeFile(join(folder, 'config.json'), JSON.stringify(CONFIG))
  const dataOf = new Map<number, Float32Array<ArrayBuffer>>()
  const tensors: Record<string, TensorToWrite> = {}
  for (const [name, shape] of llama.parse(CONFIG).shapes(() => true)) {
    const count = shape.reduce((product, length) => product * length, 1)
    const data = dataOf.get(count) ?? new Float32Array(count).fill(0.01)
    dataOf.set(count, data)
    tensors[name] = { dtype: 'F32', shape, data }
  }
  await writeSafetensors(join(folder, 'model.safetensors'), tensors)
  await build({
    configFile: false,
    root: ROOT,
    logLevel: 'silent',
    build: { ssr: join(ROOT, 'tests/engine/lm-load-child.ts'), outDir: built, emptyOutDir: true, target: 'node24' },
  })
}, 120_000)
afterAll(async () => {
  await rm(built, { recursive: true, force: true })
  if (canMeasure) await rm(folder, { recursive: true, force: true })
})

describe.skipIf(!canMeasure)('the peak of memory while loading', () => {
  it.each(['wasm', 'cpu'])('is the weights as float32 and a little more on %s', async (backend) => {
    const env = { ...process.env, MONOSCOPE_BACKEND: backend }
    const { stdout } = await promisify(execFile)(process.execPath, [join(built, 'lm-load-child.js'), folder], { env })
    const { before, after, tensorBytes, parameters } = Answer.parse(JSON.parse(stdout))
    const floatBytes = parameters * 4
    const extra = Math.round((after - before - floatBytes) / 1e6)
    process.stdout.write(`loading ${Math.round(floatBytes / 1e6)} MB on ${backend} took ${extra} MB more at its peak\n`)
    expect(floatBytes).toBeGreaterThan(200e6)
    expect(tensorBytes).toBeGreaterThanOrEqual(floatBytes)
    expect(tensorBytes).toBeLessThan(floatBytes + 1e6)
    expect(after - before).toBeLessThan(floatBytes + EXTRA_BYTES)
  })
})
