/** The atlas against brute force on a small corpus. */
import { expect, it } from 'vitest'
import { segmentEnds, sketchDocuments } from '../../src/main/engine/measure/atlas'
import { AtlasSketch, sketchBytes } from '../../src/main/engine/measure/atlas-sketch'
import { halfOf } from '../../src/main/engine/measure/context-slots'
import { keyOf } from '../../src/main/engine/measure/reservoir'
import { bytesOf } from '../../src/main/files/element-types'
import { createSae } from '../../src/main/engine/sae/loaded'
import { modelSource } from '../../src/main/engine/train/activations'
import { Random } from '../../src/main/engine/train/random'
import { memoryReport } from '../../src/main/engine/tf'
import { SINK_ID, TOY, toyActs, toyModel, toyResid, toyTable, toyTokenizer, toyWeights, TOY_TOKENS } from './toy-model'

const CONTEXT = 16
const TOP = 4
const SINK_NORM = 60

function makeDocuments(): number[][] {
  const random = Random.fromSeed(55)
  return Array.from({ length: 300 }, (_, d) => {
    const length = d === 17 ? 0 : 1 + random.int(50)
    return Array.from({ length }, () => 2 + random.int(TOY.vocabulary - 2))
  })
}

// eslint-disable-next-line @typescript-eslint/require-await -- the function under test takes any async source
async function* stream(documents: number[][], from = 0) {
  for (const [index, ids] of documents.entries()) if (index >= from) yield { index, text: ids.join(' ') }
}

type Firing = { document: number; position: number; value: number; windowStart: number; windowEnd: number }

/** Every activation of every feature, one token at a time; null where the token is a sink. */
function bruteForce(documents: number[][]): {
  acts: (number[] | null)[][]
  firings: Firing[][]
  tokens: number
  sinks: number
} {
  const table = toyTable()
  const firings: Firing[][] = Array.from({ length: TOY.dSae }, () => [])
  let [tokens, sinks] = [0, 0]
  const acts = documents.map((ids, document) =>
    ids.map((id, position) => {
      const windowStart = position - (position % (CONTEXT - 1))
      const windowEnd = Math.min(ids.length, windowStart + CONTEXT - 1)
      const window = [TOY.bosId, ...ids.slice(windowStart, windowEnd)]
      const resid = toyResid(table, window, position - windowStart + 1)
      if (id === SINK_ID) {
        sinks += 1
        return null
      }
      tokens += 1
      const values = toyActs(resid)
      values.forEach((value, i) => {
        if (value > 0) firings[i]?.push({ document, position, value, windowStart, windowEnd })
      })
      return values
    }),
  )
  return { acts, firings, tokens, sinks }
}

const sizes = { topContexts: TOP, intervalContexts: 3, seed: 9 }

async function sketch(documents: number[][], onlyFrom = 0, segmentCharacters = 1e9) {
  const model = toyModel()
  const sae = createSae({ architecture: 'standard', dIn: TOY.dIn, dSae: TOY.dSae, weights: toyWeights() }, '')
  const before = memoryReport().tensors
  const part = await sketchDocuments(stream(documents, onlyFrom), {
    ...{ source: modelSource(model, TOY.hookName, TOY_TOKENS), tokenizer: toyTokenizer, sae, contextSize: CONTEXT },
    ...{ sinkNorm: SINK_NORM, ...sizes, segmentCharacters, onProgress: () => Promise.resolve(true) },
  })
  expect(memoryReport().tensors).toBe(before)
  sae.dispose()
  model.dispose()
  if (!part) throw new Error('the atlas was stopped')
  return part
}

const build = async (documents: number[][]) => (await sketch(documents)).sketch.figures()

/** Strongest firing of each document, strongest first, earlier document first among equals. */
function topOf(firings: Firing[]): Firing[] {
  const best = new Map<number, Firing>()
  for (const firing of firings) {
    const known = best.get(firing.document)
    if (!known || firing.value > known.value + 1e-5) best.set(firing.document, firing)
  }
  return [...best.values()].toSorted((a, b) => b.value - a.value).slice(0, TOP)
}

export function atlasCase(): void {
  const documents = makeDocuments()
  const brute = bruteForce(documents)

  it('counts, sums and finds the largest values', async () => {
    const figures = await build(documents)
    const windows = documents.reduce((sum, ids) => sum + Math.ceil(ids.length / (CONTEXT - 1)), 0)
    expect(figures).toMatchObject({ documents: 300, tokens: brute.tokens, bosTokens: windows, sinkTokens: brute.sinks })
    expect(brute.sinks).toBeGreaterThan(10)
    brute.firings.forEach((firings, i) => {
      expect(figures.fired[i]).toBe(firings.length)
      expect(figures.sum[i]).toBeCloseTo(
        firings.reduce((sum, { value }) => sum + value, 0),
        1,
      )
      expect(figures.max[i]).toBeCloseTo(Math.max(0, ...firings.map(({ value }) => value)), 4)
    })
    expect(figures.fired[2]).toBe(0)
    expect(Array.from(figures.fired).filter((fired) => fired > 100).length).toBeGreaterThan(8)
  })

  it('counts a corpus shorter than one context as brute force does', async () => {
    const short = [documents.find((ids) => ids.length > 3)?.slice(0, 4) ?? []]
    const { tokens, sinks, firings } = bruteForce(short)
    const figures = await build(short)
    expect(figures).toMatchObject({ documents: 1, tokens, bosTokens: 1, sinkTokens: sinks })
    expect(tokens + sinks).toBe(4)
    expect([...figures.fired]).toEqual(firings.map(({ length }) => length))
    expect(Math.max(...figures.fired)).toBeGreaterThan(0)
    figures.max.forEach((max, i) => {
      expect(max).toBeCloseTo(Math.max(0, ...(firings[i] ?? []).map(({ value }) => value)), 4)
    })
  })

  it('has histograms whose counts add up and whose borders are off by at most max / 512', async () => {
    const figures = await build(documents)
    brute.firings.forEach((firings, i) => {
      const bins = figures.histogram.subarray(i * 50, (i + 1) * 50)
      expect(bins.reduce((sum, count) => sum + count, 0)).toBe(firings.length)
      const max = figures.max[i] ?? 0
      const slack = max / 512 + 1e-5
      let below = 0
      bins.forEach((count, bin) => {
        below += count
        const border = ((bin + 1) * max) / 50
        expect(below).toBeGreaterThanOrEqual(firings.filter(({ value }) => value < border - slack).length)
        expect(below).toBeLessThanOrEqual(firings.filter(({ value }) => value <= border + slack).length)
      })
    })
  })

  it('keeps the strongest contexts of distinct documents with the values around the peak', async () => {
    const { contexts } = await build(documents)
    let row = 0
    brute.firings.forEach((firings, feature) => {
      for (const top of topOf(firings)) {
        expect([contexts.feature[row], contexts.interval[row], contexts.document[row]]).toEqual([
          feature,
          255,
          top.document,
        ])
        expect(contexts.value[row]).toBeCloseTo(top.value, 4)
        const start = Math.max(top.windowStart, top.position - 20)
        const end = Math.min(top.windowEnd, top.position + 12)
        expect([contexts.start[row], contexts.length[row]]).toEqual([start, end - start])
        expect(contexts.marked[row]).toBe(top.position - start)
        const [first, last] = [contexts.pairs[row] ?? 0, contexts.pairs[row + 1] ?? 0]
        const active = Array.from({ length: end - start }, (_, k) => k).filter(
          (k) => (brute.acts[top.document]?.[start + k]?.[feature] ?? 0) > 0,
        )
        expect([...contexts.pairToken.subarray(first, last)]).toEqual(active)
        expect([...contexts.pairValue.subarray(first, last)]).toContain(halfOf(contexts.value[row] ?? 0))
        row += 1
      }
      while (contexts.feature[row] === feature) row += 1
    })
    expect(contexts.feature.length).toBe(row)
  })

  it('draws random contexts from every interval by their keys, and counts what lies in each', async () => {
    const { contexts, intervalWidth, intervalFired } = await build(documents)
    const drawn = Array.from(contexts.feature, (feature, row) => ({ feature, row })).filter(
      ({ row }) => contexts.interval[row] !== 255,
    )
    brute.firings.forEach((firings, feature) => {
      const width = intervalWidth[feature] ?? 0
      const max = Math.max(0, ...firings.map(({ value }) => value))
      expect(max < 8 * width && max >= 4 * width ? 'upper half' : max).toBe(firings.length > 0 ? 'upper half' : 0)
      for (let interval = 0; interval < 8; interval++) {
        const isNear = (value: number, border: number) => Math.abs(value - border * width) < 1e-4
        const inside = firings.filter(({ value }) => Math.floor(value / width) === interval)
        if (firings.some(({ value }) => isNear(value, interval) || isNear(value, interval + 1))) continue
        expect(intervalFired[feature * 8 + interval]).toBe(inside.length)
        const wanted = inside
          .map(({ document, position }) => ({ document, position, key: keyOf(sizes.seed, document, position) }))
          .toSorted((a, b) => a.key - b.key)
          .slice(0, sizes.intervalContexts)
        const found = drawn.filter(({ feature: of, row }) => of === feature && contexts.interval[row] === interval)
        expect(
          found.map(({ row }) => [contexts.document[row], (contexts.start[row] ?? 0) + (contexts.marked[row] ?? 0)]),
        ).toEqual(wanted.map(({ document, position }) => [document, position]))
      }
    })
  })

  it('says which features are active together on a random sample of the tokens of each', async () => {
    const { together, fired, tokens } = await build(documents)
    brute.firings.forEach((firings, feature) => {
      const sample = firings
        .map(({ document, position }) => ({ document, position, key: keyOf(sizes.seed, document, position) }))
        .toSorted((a, b) => a.key - b.key)
        .slice(0, 64)
      expect(together.sampled[feature]).toBe(sample.length)
      const shareOf = (other: number) =>
        sample.filter(({ document, position }) => (brute.acts[document]?.[position]?.[other] ?? 0) > 0).length /
        sample.length
      const excess = (other: number) => shareOf(other) - (fired[other] ?? 0) / tokens
      const others = Array.from({ length: TOY.dSae }, (_, i) => i).filter((i) => i !== feature && excess(i) > 0)
      const wanted = others.toSorted((a, b) => excess(b) - excess(a) || a - b).slice(0, 20)
      const listed = Array.from(together.indexes.subarray(feature * 20, feature * 20 + 20)).filter((i) => i >= 0)
      expect(listed).toEqual(wanted)
      listed.forEach((other, k) => expect(together.shares[feature * 20 + k]).toBeCloseTo(shareOf(other), 6))
    })
  })

  it('has the same bytes from one part and from eight, also in another order and by way of files', async () => {
    const segment = 600
    const whole = await sketch(documents, 0, segment)
    const ends = segmentEnds(segment)
    const begins = [0]
    documents.forEach((ids, d) => ends(ids.join(' ').length) && begins.push(d + 1))
    const cuts = Array.from({ length: 9 }, (_, i) => begins[Math.floor((i * begins.length) / 8)] ?? documents.length)
    expect(new Set(cuts).size).toBe(9)
    const parts = []
    for (let i = 0; i < 8; i++) parts.push(await sketch(documents.slice(0, cuts[i + 1]), cuts[i], segment))
    const merged = new AtlasSketch(whole.sketch.sizes)
    for (const i of [3, 0, 7, 1, 6, 2, 5, 4]) {
      const copy = new AtlasSketch(whole.sketch.sizes)
      const from = parts[i]?.sketch.arrays() ?? {}
      for (const [name, into] of Object.entries(copy.arrays())) bytesOf(into).set(bytesOf(from[name] ?? into))
      merged.merge(copy)
    }
    expect(merged.figures()).toEqual(whole.sketch.figures())
    expect(parts.flatMap(({ tokens }) => [...tokens.ids])).toEqual([...whole.tokens.ids])
    // It takes the room that the formula says, whatever it has seen.
    const bytes = Object.values(merged.arrays()).reduce((sum, array) => sum + array.byteLength, 0)
    expect(bytes + 8 * TOY.dSae).toBe(sketchBytes(merged.sizes) + 32)
  })

  it('is the same twice, and stops when told to', async () => {
    const few = documents.slice(0, 40)
    expect(await build(few)).toEqual(await build(few))
    const model = toyModel()
    const sae = createSae({ architecture: 'standard', dIn: TOY.dIn, dSae: TOY.dSae, weights: toyWeights() }, '')
    const many = Array.from({ length: 20 }, () => documents).flat()
    const stopped = await sketchDocuments(stream(many), {
      ...{ source: modelSource(model, TOY.hookName, TOY_TOKENS), tokenizer: toyTokenizer, sae, ...sizes },
      ...{ contextSize: CONTEXT, sinkNorm: SINK_NORM, onProgress: () => Promise.resolve(false) },
    })
    expect(stopped).toBeNull()
    sae.dispose()
    model.dispose()
  })
}
