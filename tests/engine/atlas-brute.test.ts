/** The atlas of a real model over 20,000 tokens, every figure of 50 features recomputed plainly, and the same file from 1 and 8 parts. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadModel, loadTokenizer } from '../../src/main/engine/lm'
import { Random } from '../../src/main/engine/train/random'
import { halfOf } from '../../src/main/engine/measure/context-slots'
import { keyOf } from '../../src/main/engine/measure/reservoir'
import { createSae } from '../../src/main/engine/sae/loaded'
import { tf } from '../../src/main/engine/tf'
import { readAtlas } from '../../src/main/files/atlas-file'
import type { Atlas } from '../../src/main/files/atlas-file'
import { CorpusTokens } from '../../src/main/files/corpus-tokens'
import { readSaelens, writeSaelens } from '../../src/main/files/saelens'
import { runAtlas } from '../../src/main/tasks/atlas'
import type { AtlasSpec, FromWorker } from '../../src/main/jobs/messages'
import { openTestBackend, reportSkip, storiesFolder } from './goldens'

const stories = storiesFolder()
if (!stories) reportSkip('the atlas against brute force', 'the stories260K model is absent')
const backend = await openTestBackend('wasm')
const hookName = 'blocks.2.hook_resid_post'
const FEATURES = 50
const CONTEXT = 64
const TOKENS = 20_000
const SEED = 5
/** Some tokens in twenty are beyond it. */
const SINK_NORM = 8.3
let root = ''

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monoscope-brute-'))
})
afterAll(() => rm(root, { recursive: true }))

type Firing = { document: number; position: number; value: number; windowStart: number; windowEnd: number }
/** acts[document][position] is [FEATURES], or null for a sink. */
type Plain = { acts: (Float32Array | null)[][]; ids: number[][]; sinks: number; windows: number }

/** As many documents as hold {@link TOKENS} tokens, and an autoencoder with directions of its own. */
async function makeInputs(): Promise<void> {
  const tokenizer = await loadTokenizer(stories ?? '', 512)
  const lines = (await readFile(join(stories ?? '', 'corpus.jsonl'), 'utf8')).trim().split('\n')
  let tokens = 0
  const taken: string[] = []
  for (const line of lines) {
    if (tokens >= TOKENS) break
    tokens += (await tokenizer.encode((JSON.parse(line) as { text: string }).text)).length
    taken.push(line)
  }
  await writeFile(join(root, 'corpus.jsonl'), `${taken.join('\n')}\n`)
  const random = Random.fromSeed(4)
  const draw = (count: number, scale: number) => Float32Array.from({ length: count }, () => scale * random.normal())
  const bEnc = Float32Array.from({ length: FEATURES }, (_, i) => (i === 7 ? -1e4 : -0.5 - i / 20))
  const weights = {
    wEnc: { shape: [64, FEATURES], data: draw(64 * FEATURES, 0.25) },
    bEnc: { shape: [FEATURES], data: bEnc },
    wDec: { shape: [FEATURES, 64], data: draw(64 * FEATURES, 1) },
    bDec: { shape: [64], data: new Float32Array(64) },
  }
  const own = { modelName: 'stories', hookName, contextSize: CONTEXT, prependBos: true, datasetPath: 'corpus' }
  await writeSaelens(
    join(root, 'sae'),
    { architecture: 'standard', dIn: 64, dSae: FEATURES, weights, shiftsInput: false, k: null },
    { origin: { ...own, monoscope: { sink_norm: SINK_NORM } }, firingShare: new Float64Array(FEATURES) },
  )
}

/** The same operations on one window at a time, and nothing else in common with the atlas. */
async function computePlainly(): Promise<Plain> {
  const model = await loadModel(stories ?? '')
  const tokenizer = await loadTokenizer(stories ?? '', 512)
  const sae = createSae(await readSaelens(join(root, 'sae')), '')
  const lines = (await readFile(join(root, 'corpus.jsonl'), 'utf8')).trim().split('\n')
  const plain: Plain = { acts: [], ids: [], sinks: 0, windows: 0 }
  for (const line of lines) {
    const ids = await tokenizer.encode((JSON.parse(line) as { text: string }).text)
    const acts: (Float32Array | null)[] = []
    for (let start = 0; start < ids.length; start += CONTEXT - 1) {
      const window = [tokenizer.bosId ?? 0, ...ids.slice(start, start + CONTEXT - 1)]
      plain.windows += 1
      const { resid, codes } = tf.tidy(() => {
        const { captured } = model.forward(tf.tensor2d([window], [1, window.length], 'int32'), { capture: [hookName] })
        const found = tf.reshape(captured[hookName] ?? tf.scalar(0), [window.length, 64])
        return { resid: found.dataSync<'float32'>(), codes: sae.encode(found).dataSync<'float32'>() }
      })
      for (let t = 1; t < window.length; t++) {
        const isSink = Math.hypot(...resid.subarray(t * 64, (t + 1) * 64)) > SINK_NORM
        if (isSink) plain.sinks += 1
        acts.push(isSink ? null : codes.slice(t * FEATURES, (t + 1) * FEATURES))
      }
    }
    plain.acts.push(acts)
    plain.ids.push(ids)
  }
  sae.dispose()
  model.dispose()
  return plain
}

function firingsOf({ acts }: Plain, feature: number): Firing[] {
  return acts.flatMap((rows, document) =>
    rows.flatMap((row, position) => {
      const value = row?.[feature] ?? 0
      const windowStart = position - (position % (CONTEXT - 1))
      const windowEnd = Math.min(rows.length, windowStart + CONTEXT - 1)
      return value > 0 ? [{ document, position, value, windowStart, windowEnd }] : []
    }),
  )
}

const byKey = (firings: Firing[]) =>
  firings
    .map((firing) => ({ ...firing, key: keyOf(SEED, firing.document, firing.position) }))
    .toSorted((a, b) => a.key - b.key || a.document - b.document || a.position - b.position)

/** The twenty strongest of distinct documents, then ten random ones of each interval from the top down. */
function contextsOf(firings: Firing[], range: number): (Firing & { interval: number })[] {
  const strongest = firings.toSorted((a, b) => b.value - a.value || a.document - b.document || a.position - b.position)
  const top = strongest.filter(({ document }, at) => strongest.findIndex((other) => other.document === document) === at)
  const random = [7, 6, 5, 4, 3, 2, 1, 0].flatMap((interval) =>
    byKey(firings.filter(({ value }) => Math.floor((8 * value) / range) === interval))
      .slice(0, 10)
      .map((firing) => ({ ...firing, interval })),
  )
  return [...top.slice(0, 20).map((firing) => ({ ...firing, interval: 255 })), ...random]
}

/** One row of the atlas's contexts, with its pairs. */
function contextAt({ contexts }: Atlas, row: number) {
  const [begin, end] = [contexts.pairs[row] ?? 0, contexts.pairs[row + 1] ?? 0]
  return {
    ...{ feature: contexts.feature[row], interval: contexts.interval[row], document: contexts.document[row] },
    ...{ start: contexts.start[row], length: contexts.length[row], marked: contexts.marked[row] },
    value: contexts.value[row],
    pairs: Array.from({ length: end - begin }, (_, k) => [
      contexts.pairToken[begin + k],
      contexts.pairValue[begin + k],
    ]),
  }
}

/** One window by itself rounds otherwise than in a padded pass: measured 1.2e-6 at most, relative or below 1. */
function expectNear(actual: number | undefined, plain: number): void {
  expect(Math.abs((actual ?? Infinity) - plain)).toBeLessThanOrEqual(1e-5 * Math.max(1, plain))
}

function expectStatistics(atlas: Atlas, feature: number, firings: Firing[]): number {
  const max = Math.max(0, ...firings.map(({ value }) => value))
  expect(atlas.fired[feature]).toBe(firings.length)
  expectNear(atlas.max[feature], max)
  expectNear(
    atlas.sum[feature],
    firings.reduce((total, { value }) => total + value, 0),
  )
  // The smallest power of two above the largest value, in 1,024 fine bins: a border of a bar lies in one of them and shares it out.
  const range = max > 0 ? 2 ** (Math.floor(Math.log2(max)) + 1) : 0
  const intervals = new Float64Array(8)
  for (const { value } of firings) intervals[Math.floor((8 * value) / range)]! += 1
  const below = (limit: number) => firings.filter(({ value }) => value < limit).length
  let counted = 0
  atlas.histogram.subarray(feature * 50, feature * 50 + 50).forEach((count, bar) => {
    counted += count
    const border = (1024 * max * (bar + 1)) / 50 / range
    expect(counted).toBeGreaterThanOrEqual(below((Math.floor(border) * range) / 1024))
    expect(counted).toBeLessThanOrEqual(bar === 49 ? firings.length : below((Math.ceil(border) * range) / 1024))
  })
  expect(counted).toBe(firings.length)
  expect(atlas.intervalWidth[feature]).toBe(range / 8)
  expect(atlas.intervalFired.slice(feature * 8, feature * 8 + 8)).toEqual(intervals)
  return range
}

function expectTogether(atlas: Atlas, feature: number, { plain, firings }: { plain: Plain; firings: Firing[] }): void {
  const sample = byKey(firings).slice(0, 64)
  const counts = new Map<number, number>()
  for (const { document, position } of sample) {
    const row = plain.acts[document]?.[position] ?? new Float32Array()
    const active = Array.from(row, (value, i) => ({ value, i })).filter(({ value }) => value > 0)
    const strongest = active.toSorted((a, b) => b.value - a.value || a.i - b.i).slice(0, 48)
    for (const { i } of strongest) if (i !== feature) counts.set(i, (counts.get(i) ?? 0) + 1)
  }
  const excess = (i: number) => (counts.get(i) ?? 0) / sample.length - (atlas.fired[i] ?? 0) / atlas.tokens
  const wanted = [...counts.keys()].filter((i) => excess(i) > 0).toSorted((a, b) => excess(b) - excess(a) || a - b)
  const listed = Array.from(atlas.together.indexes.slice(feature * 20, feature * 20 + 20)).filter((i) => i >= 0)
  expect(listed).toEqual(wanted.slice(0, 20))
  listed.forEach((i, k) =>
    expect(atlas.together.shares[feature * 20 + k]).toBeCloseTo((counts.get(i) ?? 0) / sample.length, 6),
  )
  expect(atlas.together.sampled[feature]).toBe(sample.length)
}

function makeSpec(name: string, shards: number): AtlasSpec {
  return {
    ...{ kind: 'atlas', model: { name: 'stories', path: stories ?? '', sha256: 'a' }, seed: SEED, shards },
    dataset: { name: 'corpus', path: join(root, 'corpus.jsonl'), textField: 'text', deduplicate: false, sha256: 'b' },
    sae: { path: join(root, 'sae'), hookName, contextSize: CONTEXT },
    ...{ file: join(root, `${name}.safetensors`), tokensFile: join(root, `${name}-tokens.safetensors`) },
    ...{ topContexts: 20, intervalContexts: 10, segmentCharacters: 4000 },
  }
}

/** Runs the job; it is cancelled when it has asked so many times whether to go on. */
async function build(spec: AtlasSpec, stopAfter = Infinity): Promise<{ isDone: boolean; messages: FromWorker[] }> {
  const messages: FromWorker[] = []
  let asked = 0
  const isDone = await runAtlas(spec, {
    send: (message) => messages.push(message),
    isCancelled: () => (asked += 1) > stopAfter,
    backend: { name: 'cpu', device: 'test', reason: '' },
    threadEntry: '',
  })
  return { isDone, messages }
}

describe.skipIf(!stories || !backend)('the atlas of a real model', () => {
  it('equals brute force in every statistic, context and interval', { timeout: 120_000 }, async () => {
    await makeInputs()
    const spec = makeSpec('one', 1)
    expect((await build(spec)).isDone).toBe(true)
    const atlas = await readAtlas(spec.file)
    const plain = await computePlainly()
    const kept = plain.acts.flat().filter((row) => row !== null).length
    expect(kept).toBeGreaterThan(TOKENS * 0.9)
    expect(plain.sinks).toBeGreaterThan(100)
    expect(atlas).toMatchObject({ tokens: kept, sinkTokens: plain.sinks, bosTokens: plain.windows })
    let row = 0
    for (let feature = 0; feature < FEATURES; feature++) {
      const firings = firingsOf(plain, feature)
      const range = expectStatistics(atlas, feature, firings)
      expectTogether(atlas, feature, { plain, firings })
      for (const { document, position, value, windowStart, windowEnd, interval } of contextsOf(firings, range)) {
        const start = Math.max(windowStart, position - 20)
        const length = Math.min(windowEnd, position + 12) - start
        const around = Array.from({ length }, (_, t) => [t, plain.acts[document]?.[start + t]?.[feature] ?? 0] as const)
        const pairs = around.map(([t, act]) => [t, halfOf(act)] as const).filter(([, half]) => half !== 0)
        const marked = position - start
        const found = contextAt(atlas, row)
        const place = { feature, interval, document, start, length, marked }
        expect(found).toMatchObject({ ...place, pairs: pairs.map(([t]) => [t, expect.any(Number) as number]) })
        expectNear(found.value, value)
        // Neighbouring patterns are half a thousandth apart at most; rounding may tip to either.
        pairs.forEach(([, half], k) => expect(Math.abs((found.pairs[k]?.[1] ?? -9) - half)).toBeLessThanOrEqual(1))
        row += 1
      }
    }
    expect(atlas.contexts.feature.length).toBe(row)
    expect(atlas.fired.filter((fired) => fired === 0).length).toBeLessThan(5)
    const tokens = CorpusTokens.open(spec.tokensFile)
    plain.ids.forEach((ids, document) => expect([...tokens.read(document, 0, 1e6)]).toEqual(ids))
    expect([...tokens.read(3, 5, 4)]).toEqual(plain.ids[3]?.slice(5, 9))
    expect(tokens.read(plain.ids.length, 0, 4)).toHaveLength(0)
    tokens.close()
  })

  it(
    'is the same file from 1 and from 8 parts, also when it was cut off in between',
    { timeout: 120_000 },
    async () => {
      const spec = makeSpec('eight', 8)
      expect((await build(spec, 6)).isDone).toBe(false)
      const parts = `${spec.file}.parts`
      const finished = (await readdir(parts)).filter((name) => name.startsWith('sketch'))
      expect(finished.length).toBeGreaterThan(1)
      expect(finished.length).toBeLessThan(8)
      const before = await stat(join(parts, 'sketch-0.safetensors'))
      expect((await build(spec, 1)).isDone).toBe(false)
      // A part that was finished is not passed over again.
      expect((await stat(join(parts, 'sketch-0.safetensors'))).mtimeMs).toBe(before.mtimeMs)
      expect((await build(spec)).isDone).toBe(true)
      await expect(readdir(parts)).rejects.toMatchObject({ code: 'ENOENT' })
      for (const kind of ['', '-tokens']) {
        const [one, eight] = ['one', 'eight'].map((name) => readFile(join(root, `${name}${kind}.safetensors`)))
        expect((await one)?.equals((await eight) ?? Buffer.alloc(0))).toBe(true)
      }
    },
  )
})
