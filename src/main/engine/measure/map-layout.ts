/** Places in the plane by UMAP (McInnes, Healy and Melville 2018) from exact nearest neighbours, an epoch at a time. */
import { UMAP } from 'umap-js'
import type { Random } from '../train/random'
import type { Nearest } from './nearest-rows'

export type LayoutOptions = {
  /** Of n rows each, without the row itself; every row has as many. */
  nearest: Nearest
  /** Neighbours of each row, itself not counted. */
  count: number
  minDist: number
  spread: number
  epochs: number
  random: Random
  /** Called after every epoch; false ends the work early. */
  onEpoch: () => Promise<boolean>
}

/** Epochs that umap-js takes for n points unless told: more where they are cheap. */
export function epochsFor(n: number): number {
  if (n <= 2500) return 500
  if (n <= 5000) return 400
  return n <= 7500 ? 300 : 200
}

/** Cosine distances never below zero: float32 products of equal rows may come out above 1. */
const distanceOf = (cosine: number) => Math.max(0, 1 - cosine)

/** @returns [n, 2], or null when `onEpoch` said to stop */
export async function layOut(options: LayoutOptions): Promise<Float32Array<ArrayBuffer> | null> {
  const { nearest, count, minDist, spread, epochs, random, onEpoch } = options
  const rows = Array.from({ length: nearest.indexes.length / count }, (_, i) => i)
  const part = <T extends Int32Array | Float32Array>(all: T, i: number) => all.subarray(i * count, (i + 1) * count)
  const umap = new UMAP({
    ...{ nComponents: 2, nNeighbors: count + 1, minDist, spread, nEpochs: epochs },
    random: () => random.uniform(),
  })
  // As UMAP counts them, every point is its own first neighbour.
  umap.setPrecomputedKNN(
    rows.map((i) => [i, ...part(nearest.indexes, i)]),
    rows.map((i) => [0, ...Array.from(part(nearest.cosines, i), distanceOf)]),
  )
  // Only their number is looked at once the neighbours are known.
  umap.initializeFit(rows.map((i) => [i]))
  for (let epoch = 0; epoch < epochs; epoch++) {
    umap.step()
    if (!(await onEpoch())) return null
  }
  return Float32Array.from(umap.getEmbedding().flat())
}
