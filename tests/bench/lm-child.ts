/** A process of its own for one measurement of a language model, so that its peak memory is its alone. Prints one JSON line. */
import { continueAll, loadModel } from '../../src/main/engine/lm'
import { modelSource } from '../../src/main/engine/train/activations'
import { threadSource } from '../../src/main/engine/train/thread-source'
import { openBackend } from '../../src/main/engine/tf'
import { BackendName } from '../../src/shared/domain'
import type { LmJob } from './lm-job'

const NO_TOKENS = { bosId: null, specialIds: new Set<number>() }

// Our own bench starts this with the agreed job.
const job = JSON.parse(process.argv[2] ?? '') as LmJob
const { folder, entry, hookName, batch, context, vocabulary, dModel, rounds } = job

const idsOf = (round: number) =>
  Int32Array.from({ length: batch * context }, (_, i) => (i * 7919 + round * 104_729) % vocabulary)
const medianOf = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/** Tokens per second of passes that end at the middle layer, residual vectors read back. */
async function capture(): Promise<object> {
  const threads = job.threads ?? 1
  const source =
    threads === 1
      ? modelSource(await loadModel(folder, job.blocks), hookName, NO_TOKENS)
      : threadSource({
          ...{ entry, threads, modelPath: folder, blocks: job.blocks, hookName, backend: job.backend },
          ...NO_TOKENS,
          dIn: dModel,
        })
  const loadedMb = process.memoryUsage().rss / 1e6
  const times: number[] = []
  // The first round warms up; every round is as many passes as there are threads, all under way at once.
  for (let round = 0; round <= rounds; round++) {
    const startedAt = performance.now()
    for (const wait of Array.from({ length: threads }, () => source.start(idsOf(round), batch))) wait()
    if (round > 0) times.push((performance.now() - startedAt) / 1000)
  }
  const tokensPerSecond = (threads * batch * context) / medianOf(times)
  source.dispose()
  return { tokensPerSecond, loadedMb }
}

/** The tokens at the end of a run, whose median stands for a token at that length. */
const LAST_TOKENS = 16

/** Seconds for so many tokens after a short prompt, and for one at the end, with and without the cache of keys and values. */
async function generate(): Promise<object> {
  const model = await loadModel(folder)
  const prompt = Array.from({ length: 8 }, (_, i) => i * 97 + 5)
  const run = async (kvCache: boolean) => {
    const startedAt = performance.now()
    const times: number[] = []
    for await (const event of continueAll(model, [prompt], { maxTokens: job.newTokens, kvCache })) {
      if (event.type === 'token') times.push(performance.now() - startedAt)
    }
    if (times.length !== job.newTokens) throw new Error(`${times.length} tokens instead of ${job.newTokens}`)
    const steps = times.slice(-LAST_TOKENS).map((time, i) => time - (times.at(i - LAST_TOKENS - 1) ?? 0))
    return { seconds: (times.at(-1) ?? Number.NaN) / 1000, lastMs: medianOf(steps) }
  }
  await run(true)
  const [cached, recomputed] = [await run(true), await run(false)]
  return {
    ...{ cached: cached.seconds, recomputed: recomputed.seconds, ratio: recomputed.seconds / cached.seconds },
    ...{
      cachedLastMs: cached.lastMs,
      recomputedLastMs: recomputed.lastMs,
      lastRatio: recomputed.lastMs / cached.lastMs,
    },
  }
}

const backend = await openBackend(BackendName.parse(job.backend))
const result = job.what === 'capture' ? await capture() : await generate()
// Kilobytes on every system that Node reports them on.
const peakMb = (process.resourceUsage().maxRSS * 1024) / 1e6
process.stdout.write(`${JSON.stringify({ device: backend.device, ...result, peakMb })}\n`, () => process.exit(0))
