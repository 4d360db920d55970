/**
 * The atlas job beside collecting activations at the same hook, both on the demo's model and sample, on each backend in turns: tokens a
 * second of the pass over the corpus, and the atlas as a share of collecting. Peak memory of the process beside the formula's room.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { sketchBytes } from '../../src/main/engine/measure/atlas-sketch'
import type { JobSpec } from '../../src/main/jobs/messages'
import { buildWorker, removeWorker, TestWorker } from '../engine/worker-process'

const DEMO = resolve(import.meta.dirname, '../../resources/demo')
const SAE = join(DEMO, 'saes', '1-batchtopk')
const HOOK = 'blocks.2.hook_resid_post'
const BACKENDS = ['tensorflow', 'wasm'] as const
const ROUNDS = 2
/** Of the sample: about 150,000 tokens. */
const DOCUMENTS = 220
/** What the atlas must reach of the rate of collecting. */
const LEAST_SHARE = 0.7

let folder = ''
let entry = ''

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'monoscope-bench-'))
  const sample = gunzipSync(readFileSync(join(DEMO, 'sample.jsonl.gz')))
    .toString()
    .split('\n')
  writeFileSync(join(folder, 'sample.jsonl'), sample.slice(0, DOCUMENTS).join('\n'))
  entry = await buildWorker()
}, 120_000)
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await removeWorker()
})

const say = (figures: object) => void process.stdout.write(`${JSON.stringify(figures)}\n`)

const model = { name: 'demo', path: join(DEMO, 'model'), sha256: 'm' }
const dataset = () => ({
  ...{ name: 'sample', path: join(folder, 'sample.jsonl'), textField: 'text', deduplicate: false, sha256: 'd' },
})
const collectSpec = (): JobSpec => ({
  ...{ kind: 'collect', model, dataset: dataset(), hookNames: [HOOK], contextSize: 128, seed: 0 },
  ...{ tokens: 150_000, folder: mkdtempSync(join(folder, 'set-')) },
})
const atlasSpec = (): JobSpec => {
  const own = mkdtempSync(join(folder, 'atlas-'))
  return {
    ...{ kind: 'atlas', model, dataset: dataset(), sae: { path: SAE, hookName: HOOK, contextSize: 128 }, seed: 0 },
    ...{ file: join(own, 'atlas.safetensors'), tokensFile: join(own, 'tokens.safetensors') },
    ...{ topContexts: 20, intervalContexts: 10 },
  }
}

/** Most memory a process has held, in bytes; null where the system does not tell. */
function peakOf(pid: number | undefined): number | null {
  const status = `/proc/${pid ?? 0}/status`
  const match = existsSync(status) ? /VmHWM:\s+(\d+) kB/.exec(readFileSync(status, 'utf8')) : null
  return match ? Number(match[1]) * 1024 : null
}

/** Runs a job. @returns tokens a second at the end of its pass over the corpus, and its peak memory */
async function measure(spec: JobSpec, backend: string): Promise<{ rate: number; peakBytes: number | null } | null> {
  const worker = new TestWorker(entry, backend)
  if (!(await worker.opens(backend))) return null
  let peakBytes: number | null = null
  const timer = setInterval(() => (peakBytes = peakOf(worker.pid) ?? peakBytes), 50)
  worker.tell({ type: 'start', spec })
  const status = await worker.exited
  clearInterval(timer)
  if (status !== 0) throw new Error(JSON.stringify(worker.messages.at(-1)))
  const rate = worker.all('progress').findLast(({ tokensPerSecond }) => tokensPerSecond !== null)?.tokensPerSecond
  return { rate: rate ?? 0, peakBytes }
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

it.each(BACKENDS)('passes over a corpus on %s', async (backend) => {
  const collected: number[] = []
  const sketched: number[] = []
  let peakBytes: number | null = null
  for (let round = 0; round < ROUNDS; round++) {
    const collect = await measure(collectSpec(), backend)
    const atlas = await measure(atlasSpec(), backend)
    if (!collect || !atlas) return say({ case: 'atlas', backend, skipped: 'this backend cannot be opened here' })
    collected.push(collect.rate)
    sketched.push(atlas.rate)
    peakBytes = atlas.peakBytes
  }
  const [collectTokensPerS, tokensPerS] = [Math.round(median(collected)), Math.round(median(sketched))]
  const share = Number((tokensPerS / collectTokensPerS).toFixed(2))
  const roomBytes = sketchBytes({ dSae: 4096, topContexts: 20, intervalContexts: 10 })
  say({ case: 'atlas', backend, tokensPerS, collectTokensPerS, share, leastShare: LEAST_SHARE, peakBytes, roomBytes })
  expect.soft(share, backend).toBeGreaterThanOrEqual(LEAST_SHARE)
})
