/**
 * Training steps: ours on the native and on the WebAssembly backend beside plain PyTorch, in turns, on the same made-up activations and
 * with the same number of threads. Steps are timed once the codes are sparse. `ratio` is ours over the peer's.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { build } from 'vite'
import { z } from 'zod'
import assemblyscript from '../../scripts/vite-assemblyscript.mjs'
import type { SaeJob } from './sae-job'

const ROOT = resolve(import.meta.dirname, '../..')
const PEER = join(ROOT, '../shared/peers/torch_sae_step.py')
const built = join(ROOT, 'node_modules', '.cache', `monoscope-bench-${process.pid}`)
const ROUNDS = 3
const BACKENDS = ['tensorflow', 'wasm'] as const
const threads = Number(process.env.MONOSCOPE_THREADS) || availableParallelism()

type Case = { name: string; job: Omit<SaeJob, 'backend' | 'threads'>; leastNative: number; leastWasm: number | null }

/** What each must reach on two cores. */
const CASES: readonly Case[] = [
  {
    ...{ name: 'a: topk k 32, 288 x 2304, batch 4096', leastNative: 4, leastWasm: 2 },
    job: { architecture: 'topk', dIn: 288, dSae: 2304, batch: 4096, k: 32, l1: 0, warmSteps: 60, steps: 20 },
  },
  {
    ...{ name: 'b: standard, 288 x 2304, batch 4096', leastNative: 4, leastWasm: 2 },
    job: { architecture: 'standard', dIn: 288, dSae: 2304, batch: 4096, k: 32, l1: 5, warmSteps: 250, steps: 20 },
  },
  {
    ...{ name: 'c: topk k 32, 768 x 16384, batch 2048', leastNative: 3, leastWasm: null },
    job: { architecture: 'topk', dIn: 768, dSae: 16384, batch: 2048, k: 32, l1: 0, warmSteps: 10, steps: 10 },
  },
]

const Ours = z.object({
  device: z.string(),
  ms: z.number(),
  tokensPerS: z.number(),
  l0: z.number(),
  route: z.string(),
  peakBytes: z.number(),
  kernelBytes: z.number(),
})
const Peer = z.object({ peer: z.string(), threads: z.number(), tokens_per_s: z.number(), l0: z.number() })

const say = (figures: object) => void process.stdout.write(`${JSON.stringify(figures)}\n`)

function median(values: readonly number[]): number {
  const sorted = values.toSorted((x, y) => x - y)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/** One measurement of ours; null, with the reason printed, when the backend cannot be opened here. */
function measure(job: SaeJob): z.infer<typeof Ours> | null {
  try {
    const args = ['--max-old-space-size=8192', join(built, 'child.js'), JSON.stringify(job)]
    const said = execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    return Ours.parse(JSON.parse(said.trim().split('\n').at(-1) ?? ''))
  } catch (error) {
    const reason = /AppError: (.*)/.exec(String(error))?.[1]
    if (!reason?.includes('backend')) throw error
    say({ case: 'sae', backend: job.backend, skipped: reason })
    return null
  }
}

/** One measurement of the peer; null, with the reason printed, when it is not there. */
function measurePeer({ architecture, dIn, dSae, batch, k, l1, warmSteps, steps }: SaeJob): z.infer<typeof Peer> | null {
  const python = ['/usr/bin/python3', 'python3'].find((path) => !path.startsWith('/') || existsSync(path)) ?? 'python3'
  // With a fixed k the peer is as fast before training as after it.
  const warm = architecture === 'topk' ? Math.min(warmSteps, 5) : warmSteps
  const numbers = { 'd-in': dIn, 'd-sae': dSae, batch, k, l1, 'warm-steps': warm, steps, threads }
  const args = Object.entries(numbers).map(([name, value]) => `--${name}=${value}`)
  try {
    const said = execFileSync(python, [PEER, `--arch=${architecture}`, ...args], {
      ...{ encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    })
    return Peer.parse(JSON.parse(said.trim().split('\n').at(-1) ?? ''))
  } catch (error) {
    say({ case: 'sae', peer: 'skipped', reason: String(error).split('\n')[0] })
    return null
  }
}

beforeAll(async () => {
  await build({
    ...{ configFile: false, root: ROOT, logLevel: 'silent', plugins: [assemblyscript()] },
    build: {
      ...{ ssr: true, outDir: built, emptyOutDir: true, target: 'node24' },
      rolldownOptions: { input: { child: join(ROOT, 'tests/bench/sae-child.ts') } },
    },
  })
}, 300_000)
afterAll(() => rmSync(built, { recursive: true, force: true }))

for (const { name, job, leastNative, leastWasm } of CASES) {
  it(name, { timeout: 3_600_000 }, () => {
    const ours = new Map<string, z.infer<typeof Ours>[]>(BACKENDS.map((backend) => [backend, []]))
    const peers: z.infer<typeof Peer>[] = []
    for (let round = 0; round < ROUNDS; round++) {
      for (const backend of BACKENDS) {
        const found = measure({ ...job, backend, threads })
        if (found) ours.get(backend)?.push(found)
      }
      const peer = measurePeer({ ...job, backend: 'wasm', threads })
      if (peer) peers.push(peer)
    }
    const peerTokensPerS = peers.length > 0 ? median(peers.map((peer) => peer.tokens_per_s)) : null
    for (const backend of BACKENDS) {
      const found = ours.get(backend) ?? []
      const [first] = found
      if (!first) continue
      const oursTokensPerS = median(found.map((one) => one.tokensPerS))
      const ratio = peerTokensPerS === null ? null : Number((oursTokensPerS / peerTokensPerS).toFixed(2))
      say({
        ...{ case: name, backend, device: first.device, threads, route: first.route },
        oursTokensPerS: Math.round(oursTokensPerS),
        ...{ peerTokensPerS, ratio, least: backend === 'tensorflow' ? leastNative : leastWasm },
        ...{ l0: Number(first.l0.toFixed(1)), peerL0: peers[0]?.l0 ?? null },
        ...{ peakBytes: Math.max(...found.map((one) => one.peakBytes)), kernelBytes: first.kernelBytes },
      })
      expect(first.route).toBe('sparse')
    }
  })
}
