/** The map of features: exact neighbours, bundles that stay together, features placed afterwards, and the same bytes for the same seed. */
import { describe, expect, it } from 'vitest'
import { makeFeatureMap, type FeatureMapOptions } from '../../src/main/engine/measure/feature-map'
import { findCommunities, numberBySize } from '../../src/main/engine/measure/map-clusters'
import { nearestRows } from '../../src/main/engine/measure/nearest-rows'
import { Random } from '../../src/main/engine/train/random'
import { memoryReport } from '../../src/main/engine/tf'
import { openTestBackend } from './goldens'

const backend = await openTestBackend('wasm')

const D_IN = 12
const BUNDLES = 3
const EACH = 40
const D_SAE = BUNDLES * EACH
/** One that never fires, and one without a decoder row. */
const [DEAD, NOWHERE] = [5, 17]

const bundleOf = (feature: number) => feature % BUNDLES

/** Directions around `BUNDLES` axes at right angles, of different lengths. */
function decoder(): Float32Array<ArrayBuffer> {
  const random = Random.fromSeed(3)
  const rows = new Float32Array(D_SAE * D_IN)
  for (let i = 0; i < D_SAE; i++) {
    const length = 0.5 + random.uniform()
    for (let j = 0; j < D_IN; j++) {
      rows[i * D_IN + j] = length * ((j === bundleOf(i) ? 1 : 0) + 0.15 * random.normal())
    }
  }
  rows.fill(0, NOWHERE * D_IN, (NOWHERE + 1) * D_IN)
  return rows
}

const options = (changes: Partial<FeatureMapOptions> = {}): FeatureMapOptions => ({
  sae: {
    ...{ architecture: 'standard', dIn: D_IN, dSae: D_SAE },
    weights: {
      wEnc: { shape: [D_IN, D_SAE], data: new Float32Array(D_IN * D_SAE) },
      wDec: { shape: [D_SAE, D_IN], data: decoder() },
    },
  },
  deadFeatures: [DEAD],
  parameters: { neighbours: 15, minDist: 0.05, spread: 1, resolution: 1, seed: 7 },
  onStep: () => Promise.resolve(true),
  ...changes,
})

async function mapOf(changes: Partial<FeatureMapOptions> = {}) {
  const map = await makeFeatureMap(options(changes))
  if (!map) throw new Error('the map was stopped')
  return map
}

type Map = Awaited<ReturnType<typeof mapOf>>

/** Mean distance between places of one bundle, and smallest distance between the middles of two. */
function distances({ features, positions }: Map) {
  const place = (at: number): [number, number] => [positions[2 * at] ?? NaN, positions[2 * at + 1] ?? NaN]
  const between = ([ax, ay]: [number, number], [bx, by]: [number, number]) => Math.hypot(ax - bx, ay - by)
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const bundles = Array.from({ length: BUNDLES }, (_, bundle) =>
    [...features.keys()].filter((at) => bundleOf(features[at] ?? 0) === bundle).map(place),
  )
  const middles = bundles.map((places): [number, number] => [
    mean(places.map(([x]) => x)),
    mean(places.map(([, y]) => y)),
  ])
  const within = bundles.map((places, bundle) => mean(places.map((one) => between(one, middles[bundle] ?? [NaN, NaN]))))
  const apart = middles.flatMap((one, i) => middles.slice(i + 1).map((other) => between(one, other)))
  return { within: Math.max(...within), apart: Math.min(...apart) }
}

/** Every bundle is one cluster and no cluster holds two. */
function expectBundlesApart(map: Map): void {
  const pairs = new Set(Array.from(map.features, (feature, at) => `${bundleOf(feature)} in ${map.clusters[at] ?? -1}`))
  expect(pairs.size).toBe(BUNDLES)
  expect(new Set(map.clusters).size).toBe(BUNDLES)
  const { within, apart } = distances(map)
  expect(apart).toBeGreaterThan(2 * within)
}

describe.skipIf(!backend)('the map of features', () => {
  it('finds the nearest rows as float64 over every pair does, over several blocks', async () => {
    const [n, m, dIn, count] = [30, 700_000, 2, 4]
    const random = Random.fromSeed(1)
    const draw = (rows: number) => {
      const all = Float32Array.from({ length: rows * dIn }, () => random.normal())
      for (let at = 0; at < all.length; at += 2) {
        const length = Math.hypot(all[at] ?? 0, all[at + 1] ?? 0)
        all.set([(all[at] ?? 0) / length, (all[at + 1] ?? 0) / length], at)
      }
      return all
    }
    const [rows, among] = [draw(n), draw(m)]
    let blocks = 0
    const found = await nearestRows({
      ...{ of: { rows, dIn }, among: { rows: among, dIn }, count, isAllowed: (i, j) => (i + j) % 2 === 0 },
      onBlock: () => Promise.resolve(++blocks > 0),
    })
    expect(blocks).toBeGreaterThan(1)
    for (let i = 0; i < n; i++) {
      const best: { j: number; cosine: number }[] = []
      for (let j = i % 2; j < m; j += 2) {
        const cosine = (rows[2 * i] ?? 0) * (among[2 * j] ?? 0) + (rows[2 * i + 1] ?? 0) * (among[2 * j + 1] ?? 0)
        if (best.length === count && cosine <= (best.at(-1)?.cosine ?? 0)) continue
        best.push({ j, cosine })
        best.sort((a, b) => b.cosine - a.cosine)
        best.length = Math.min(count, best.length)
      }
      const cosines = found?.cosines.subarray(i * count, (i + 1) * count) ?? []
      best.forEach(({ cosine }, at) => expect(cosines[at]).toBeCloseTo(cosine, 6))
      expect(
        Array.from(found?.indexes.subarray(i * count, (i + 1) * count) ?? []).every((j) => (i + j) % 2 === 0),
      ).toBe(true)
    }
  })

  it('keeps bundles of directions together and apart, and leaves out what has no meaning', async () => {
    const before = memoryReport().tensors
    const map = await mapOf()
    expect(memoryReport().tensors).toBe(before)
    const live = Array.from({ length: D_SAE }, (_, i) => i).filter((i) => i !== DEAD && i !== NOWHERE)
    expect(Array.from(map.features)).toEqual(live)
    expect(map.positions.every(Number.isFinite)).toBe(true)
    expect(map.parameters).toMatchObject({ neighbours: 15, epochs: 500, fitted: live.length, placed: 0, seed: 7 })
    expectBundlesApart(map)
  })

  it('places features beyond the sample at the weighted mean of their nearest ones, in the cluster of most', async () => {
    const mostFitted = 60
    const map = await mapOf({ mostFitted })
    expect(map.parameters).toMatchObject({ fitted: mostFitted, placed: map.features.length - mostFitted })
    expectBundlesApart(map)
    // The same sample by the same seed, and the places of the rest recomputed from every pair.
    const sample = Int32Array.from(map.features.keys())
    Random.fromSeed(7, 1).shuffle(sample)
    const fitted = [...sample.slice(0, mostFitted)]
    const rows = decoder()
    const cosine = (a: number, b: number) => {
      let [product, aa, bb] = [0, 0, 0]
      for (let j = 0; j < D_IN; j++) {
        const [x, y] = [rows[(map.features[a] ?? 0) * D_IN + j] ?? 0, rows[(map.features[b] ?? 0) * D_IN + j] ?? 0]
        product += x * y
        aa += x * x
        bb += y * y
      }
      return product / Math.sqrt(aa * bb)
    }
    for (const at of sample.slice(mostFitted)) {
      const near = fitted
        .map((j) => ({ j, weight: cosine(at, j) }))
        .toSorted((a, b) => b.weight - a.weight)
        .slice(0, 14)
      const sum = near.reduce((all, { weight }) => all + weight, 0)
      const mean = (axis: number) =>
        near.reduce((all, { j, weight }) => all + weight * (map.positions[2 * j + axis] ?? 0), 0) / sum
      expect(map.positions[2 * at]).toBeCloseTo(mean(0), 3)
      expect(map.positions[2 * at + 1]).toBeCloseTo(mean(1), 3)
    }
  })

  it('gives the same bytes for the same seed and others for another', async () => {
    const [one, again] = [await mapOf({ mostFitted: 80 }), await mapOf({ mostFitted: 80 })]
    expect(again).toEqual(one)
    const { parameters } = options()
    const other = await mapOf({ mostFitted: 80, parameters: { ...parameters, seed: 8 } })
    expect(other.positions).not.toEqual(one.positions)
  })

  it('tells how far it is to the very end, and stops between any two steps', async () => {
    const steps: { done: number; total: number }[] = []
    await mapOf({ onStep: (done, total) => Promise.resolve(steps.push({ done, total }) > 0), mostFitted: 60 })
    expect(steps.map(({ done }) => done)).toEqual(steps.map((_, at) => at + 1))
    expect(steps.at(-1)).toEqual({ done: steps.length, total: steps.length })
    for (const last of [1, 10, steps.length]) {
      let taken = 0
      expect(
        await makeFeatureMap(options({ onStep: () => Promise.resolve(++taken < last), mostFitted: 60 })),
      ).toBeNull()
      expect(taken).toBe(last)
    }
  })

  it('makes a map of few features, and refuses one of hardly any', async () => {
    const all = Array.from({ length: D_SAE }, (_, i) => i)
    const few = await mapOf({ deadFeatures: all.slice(7) })
    expect(few.parameters).toMatchObject({ neighbours: 6, fitted: 7 })
    expect(few.positions.every(Number.isFinite)).toBe(true)
    await expect(makeFeatureMap(options({ deadFeatures: all.slice(3) }))).rejects.toMatchObject({ code: 'map-too-few' })
  })

  it('numbers clusters from the largest down, and gives every feature without an edge its own', () => {
    expect(Array.from(numberBySize(Int32Array.of(9, 4, 4, 7, 9, 4)))).toEqual([1, 0, 0, 2, 1, 0])
    const alone = { indexes: Int32Array.of(1, 0), cosines: Float32Array.of(-0.5, -0.5) }
    const groups = findCommunities(alone, { count: 1, resolution: 1, random: Random.fromSeed(0) })
    expect(new Set(groups).size).toBe(2)
  })
})
