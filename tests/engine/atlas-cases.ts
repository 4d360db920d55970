/** The atlas against brute force on a small corpus. */
import { expect, it } from 'vitest'
import { buildAtlas } from '../../src/main/engine/measure/atlas'
import type { AtlasFigures } from '../../src/main/engine/measure/atlas'
import { createSae } from '../../src/main/engine/sae/loaded'
import { modelSource } from '../../src/main/engine/train/activations'
import { Random } from '../../src/main/engine/train/random'
import { memoryReport } from '../../src/main/engine/tf'
import { SINK_ID, TOY, toyActs, toyModel, toyResid, toyTable, toyTokenizer, toyWeights } from './toy-model'

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
async function* stream(documents: number[][]) {
  for (const [index, ids] of documents.entries()) yield { index, text: ids.join(' ') }
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

async function build(documents: number[][]): Promise<AtlasFigures> {
  const model = toyModel()
  const sae = createSae({ architecture: 'standard', dIn: TOY.dIn, dSae: TOY.dSae, weights: toyWeights() }, '')
  const before = memoryReport().tensors
  const figures = await buildAtlas(stream(documents), {
    source: modelSource(model, TOY.hookName, TOY.bosId),
    tokenizer: toyTokenizer,
    sae,
    contextSize: CONTEXT,
    sinkNorm: SINK_NORM,
    topContexts: TOP,
    onProgress: () => Promise.resolve(true),
  })
  expect(memoryReport().tensors).toBe(before)
  sae.dispose()
  model.dispose()
  if (!figures) throw new Error('the atlas was stopped')
  return figures
}

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
    expect(figures).toMatchObject({ documents: 300, tokens: brute.tokens, droppedTokens: windows + brute.sinks })
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

  it('has histograms whose counts add up and whose borders are off by at most max / 1024', async () => {
    const figures = await build(documents)
    brute.firings.forEach((firings, i) => {
      const bins = figures.histogram.subarray(i * 50, (i + 1) * 50)
      expect(bins.reduce((sum, count) => sum + count, 0)).toBe(firings.length)
      const max = figures.max[i] ?? 0
      const slack = max / 1024 + 1e-5
      let below = 0
      bins.forEach((count, bin) => {
        below += count
        const border = ((bin + 1) * max) / 50
        expect(below).toBeGreaterThanOrEqual(firings.filter(({ value }) => value < border - slack).length)
        expect(below).toBeLessThanOrEqual(firings.filter(({ value }) => value <= border + slack).length)
      })
    })
  })

  it('keeps the strongest contexts of distinct documents with ids and values around the peak', async () => {
    const { contexts } = await build(documents)
    let row = 0
    brute.firings.forEach((firings, feature) => {
      for (const top of topOf(firings)) {
        expect(contexts.feature[row]).toBe(feature)
        expect(contexts.max[row]).toBeCloseTo(top.value, 4)
        expect(contexts.document[row]).toBe(top.document)
        expect(contexts.position[row]).toBe(top.position)
        const start = Math.max(top.windowStart, top.position - 20)
        const end = Math.min(top.windowEnd, top.position + 12)
        expect(contexts.start[row]).toBe(start)
        expect(contexts.length[row]).toBe(end - start)
        const ids = documents[top.document]?.slice(start, end) ?? []
        const padding = new Array<number>(32 - ids.length).fill(-1)
        expect([...contexts.ids.subarray(row * 32, (row + 1) * 32)]).toEqual([...ids, ...padding])
        ids.forEach((_, k) => {
          const acts = brute.acts[top.document]?.[start + k]
          expect(contexts.values[row * 32 + k]).toBeCloseTo(acts?.[feature] ?? 0, 4)
        })
        row += 1
      }
    })
    expect(contexts.feature.length).toBe(row)
  })

  it('is the same twice, and stops when told to', async () => {
    const few = documents.slice(0, 40)
    expect(await build(few)).toEqual(await build(few))
    const model = toyModel()
    const sae = createSae({ architecture: 'standard', dIn: TOY.dIn, dSae: TOY.dSae, weights: toyWeights() }, '')
    const many = Array.from({ length: 20 }, () => documents).flat()
    const stopped = await buildAtlas(stream(many), {
      ...{ source: modelSource(model, TOY.hookName, TOY.bosId), tokenizer: toyTokenizer, sae },
      ...{ contextSize: CONTEXT, sinkNorm: SINK_NORM, topContexts: TOP, onProgress: () => Promise.resolve(false) },
    })
    expect(stopped).toBeNull()
    sae.dispose()
    model.dispose()
  })
}
