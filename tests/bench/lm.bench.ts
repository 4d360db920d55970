/**
 * Language models: tokens per second of capture at the middle layer of a gpt2-shaped model with random weights, on every backend,
 * beside plain PyTorch in the same run; peak memory; and what the cache of keys and values saves.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import assemblyscript from '../../scripts/vite-assemblyscript.mjs'
import { build } from 'vite'
import { z } from 'zod'
import { writeSafetensors } from '../../src/main/files/safetensors'
import { Random } from '../../src/main/engine/train/random'
import type { LmJob } from './lm-job'

const SHAPE = { layers: 12, dModel: 768, heads: 12, vocabulary: 50257, positions: 1024 }
const PASS = { batch: 8, context: 128, rounds: 7 }
const NEW_TOKENS = 256
const ROOT = resolve(import.meta.dirname, '../..')
const D = SHAPE.dModel

const folder = mkdtempSync(join(tmpdir(), 'monoscope-bench-'))
const built = join(ROOT, 'node_modules', '.cache', `monoscope-bench-${process.pid}`)
let weightMb = 0

const say = (figures: object) => void process.stdout.write(`${JSON.stringify(figures)}\n`)
const rounded = (value: number, digits = 0) => Number(value.toFixed(digits))

/** Random numbers in a block that is repeated: no kernel is faster for it, and a checkpoint is made in seconds. */
function randomTensor(shape: number[], scale: number) {
  const random = Random.fromSeed(shape.length)
  const block = Float32Array.from({ length: 65_536 }, () => scale * random.normal())
  const data = new Float32Array(shape.reduce((product, length) => product * length, 1))
  for (let at = 0; at < data.length; at += block.length) data.set(block.subarray(0, data.length - at), at)
  return { dtype: 'F32' as const, shape, data }
}

async function writeModel(): Promise<void> {
  const { layers, heads, vocabulary, positions } = SHAPE
  const ones = () => ({ dtype: 'F32' as const, shape: [D], data: new Float32Array(D).fill(1) })
  const zeros = (width: number) => ({ dtype: 'F32' as const, shape: [width], data: new Float32Array(width) })
  const tensors: Parameters<typeof writeSafetensors>[1] = {
    'wte.weight': randomTensor([vocabulary, D], 0.02),
    'wpe.weight': randomTensor([positions, D], 0.01),
    ...{ 'ln_f.weight': ones(), 'ln_f.bias': zeros(D) },
  }
  for (let layer = 0; layer < layers; layer++) {
    for (const norm of ['ln_1', 'ln_2']) {
      tensors[`h.${layer}.${norm}.weight`] = ones()
      tensors[`h.${layer}.${norm}.bias`] = zeros(D)
    }
    const maps = { 'attn.c_attn': [D, 3 * D], 'attn.c_proj': [D, D], 'mlp.c_fc': [D, 4 * D], 'mlp.c_proj': [4 * D, D] }
    for (const [name, [from = 0, to = 0]] of Object.entries(maps)) {
      tensors[`h.${layer}.${name}.weight`] = randomTensor([from, to], 0.02)
      tensors[`h.${layer}.${name}.bias`] = zeros(to)
    }
  }
  await writeSafetensors(join(folder, 'model.safetensors'), tensors)
  weightMb = Object.values(tensors).reduce((sum, { data }) => sum + data.byteLength, 0) / 1e6
  const config = { model_type: 'gpt2', n_layer: layers, n_embd: D, n_head: heads, vocab_size: vocabulary }
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, n_positions: positions }))
}

beforeAll(async () => {
  await writeModel()
  const input = { child: join(ROOT, 'tests/bench/lm-child.ts'), worker: join(ROOT, 'src/main/worker.ts') }
  await build({
    ...{ configFile: false, root: ROOT, logLevel: 'silent', plugins: [assemblyscript()] },
    build: { ssr: true, rolldownOptions: { input }, outDir: built, emptyOutDir: true, target: 'node24' },
  })
}, 300_000)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  rmSync(built, { recursive: true, force: true })
})

const Figures = z.object({
  device: z.string(),
  tokensPerSecond: z.number().optional(),
  cached: z.number().optional(),
  recomputed: z.number().optional(),
  ratio: z.number().optional(),
  cachedLastMs: z.number().optional(),
  recomputedLastMs: z.number().optional(),
  lastRatio: z.number().optional(),
  peakMb: z.number(),
})

/** One measurement in a process of its own; null, with the reason printed, when the backend cannot be opened here. */
function measure(job: Pick<LmJob, 'what' | 'backend' | 'threads'>) {
  const whole: LmJob = {
    ...{
      folder,
      hookName: `blocks.${SHAPE.layers / 2 - 1}.hook_resid_post`,
      blocks: SHAPE.layers / 2,
      dModel: D,
      vocabulary: SHAPE.vocabulary,
    },
    ...{ entry: join(built, 'worker.js'), newTokens: NEW_TOKENS, ...PASS, ...job },
  }
  try {
    // As main starts its workers.
    const args = ['--max-old-space-size=8192', '--expose-gc', join(built, 'child.js'), JSON.stringify(whole)]
    const said = execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    return Figures.parse(JSON.parse(said.trim().split('\n').at(-1) ?? ''))
  } catch (error) {
    const reason = /AppError: (.*)/.exec(String(error))?.[1]
    if (!reason?.includes('backend')) throw error
    say({ case: 'lm', ...job, skipped: reason })
    return null
  }
}

/** Tokens per second of PyTorch; null, with the reason printed, when it is not there. */
function torchTokensPerSecond(): number | null {
  const python = ['/usr/bin/python3', 'python3'].find((path) => !path.startsWith('/') || existsSync(path)) ?? 'python3'
  const job = JSON.stringify({ ...SHAPE, ...PASS })
  try {
    const said = execFileSync(python, [join(import.meta.dirname, 'torch_lm.py'), job], {
      ...{ encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    })
    const figures = z
      .object({ tokensPerSecond: z.number(), torch: z.string(), threads: z.int() })
      .parse(JSON.parse(said))
    say({ case: 'lm-capture', backend: 'pytorch', ...figures, tokensPerSecond: rounded(figures.tokensPerSecond) })
    return figures.tokensPerSecond
  } catch (error) {
    say({
      case: 'lm-capture',
      backend: 'pytorch',
      skipped: `it is not there or failed: ${String(error).split('\n')[0]}`,
    })
    return null
  }
}

it('captures at the middle layer', { timeout: 900_000 }, () => {
  const torch = torchTokensPerSecond()
  const { batch, context } = PASS
  // The bound: weights, four times the largest activation, and a fixed rest.
  const boundMb = weightMb + (4 * batch * context * Math.max(4 * D, SHAPE.heads * context) * 4) / 1e6 + 300
  const cores = availableParallelism()
  const cases = [
    { backend: 'tensorflow', threads: 1 },
    { backend: 'wasm', threads: 1 },
    ...(cores > 1 ? [{ backend: 'wasm', threads: cores }] : []),
  ]
  for (const one of cases) {
    const found = measure({ what: 'capture', ...one })
    if (!found?.tokensPerSecond) continue
    const { tokensPerSecond, peakMb, device } = found
    const beside = torch === null ? {} : { ofPytorch: rounded(tokensPerSecond / torch, 2) }
    const memory = { weightMb: rounded(weightMb), peakMb: rounded(peakMb), boundMb: rounded(boundMb * one.threads) }
    say({ case: 'lm-capture', ...one, device, tokensPerSecond: rounded(tokensPerSecond), ...beside, ...memory })
    expect(tokensPerSecond).toBeGreaterThan(0)
  }
})

it('generates with and without the cache', { timeout: 900_000 }, () => {
  for (const backend of ['tensorflow', 'wasm']) {
    const found = measure({ what: 'generate', backend })
    if (!found) continue
    const { cached = 0, recomputed = 0, ratio = 0, device } = found
    const { cachedLastMs = 0, recomputedLastMs = 0, lastRatio = 0 } = found
    const atEnd = {
      cachedMsPerToken: rounded(cachedLastMs, 1),
      recomputedMsPerToken: rounded(recomputedLastMs, 1),
      ratioAtEnd: rounded(lastRatio, 2),
    }
    const seconds = { cachedSeconds: rounded(cached, 2), recomputedSeconds: rounded(recomputed, 2) }
    say({ case: 'lm-generate', backend, device, newTokens: NEW_TOKENS, ...seconds, ratio: rounded(ratio, 2), ...atEnd })
    expect(ratio).toBeGreaterThan(0)
  }
})
