/**
 * The map of an autoencoder's features: UMAP of the directions of their decoder rows, and communities of the same neighbours. Where there
 * are more features than it is fitted on, the rest are placed among their nearest fitted ones.
 */
import { AppError } from '../../../shared/errors'
import type { MapParameters } from '../../../shared/feature-map'
import type { MapColumns } from '../../files/map-file'
import type { StoredSae } from '../sae/loaded'
import { Random } from '../train/random'
import { decoderOf, hasDirection, unitRows } from './feature-weights'
import { findCommunities, numberBySize } from './map-clusters'
import { epochsFor, layOut } from './map-layout'
import { nearestRows, rowsPerBlock, type Nearest, type Rows } from './nearest-rows'

/** Features that UMAP is fitted on at most. */
export const MOST_FITTED = 20_000
/** Fewer features make no map. */
const LEAST_FEATURES = 4
/** Random numbers of one seed for each purpose. */
const STREAMS = { sample: 1, layout: 2, clusters: 3 }
/** A neighbour counts at least so much, whatever its cosine. */
const LEAST_WEIGHT = 1e-6

export type FeatureMapOptions = {
  sae: StoredSae
  /** Left out, beside those without a direction. */
  deadFeatures: readonly number[]
  parameters: Pick<MapParameters, 'neighbours' | 'minDist' | 'spread' | 'resolution' | 'seed'>
  mostFitted?: number
  /** Called after each block of products and each epoch; false ends the work early. */
  onStep: (done: number, total: number) => Promise<boolean>
}

/** Features that are on the map: they fire, and their decoder rows point somewhere. */
function liveFeatures(norms: Float32Array, deadFeatures: readonly number[]): Int32Array<ArrayBuffer> {
  const dead = new Set(deadFeatures)
  return Int32Array.from(norms.keys()).filter((i) => !dead.has(i) && hasDirection(norms, i))
}

/** Which rows are fitted, ascending: all, or a random sample of them. */
function pickFitted(n: number, most: number, seed: number): Int32Array<ArrayBuffer> {
  const all = Int32Array.from({ length: n }, (_, i) => i)
  if (n <= most) return all
  Random.fromSeed(seed, STREAMS.sample).shuffle(all)
  return all.slice(0, most).sort()
}

function takeRows({ rows, dIn }: Rows, wanted: Int32Array): Rows {
  const taken = new Float32Array(wanted.length * dIn)
  wanted.forEach((i, at) => taken.set(rows.subarray(i * dIn, (i + 1) * dIn), at * dIn))
  return { rows: taken, dIn }
}

/** The mean place of some rows, and the group most of them are in, both weighted by cosine; the first group among equals. */
function placeAmong(
  near: Nearest,
  row: number,
  count: number,
  fitted: { positions: Float32Array; groups: Int32Array },
) {
  let [x, y, sum] = [0, 0, 0]
  const votes = new Map<number, number>()
  for (let at = row * count; at < (row + 1) * count; at++) {
    const j = near.indexes[at] ?? 0
    const weight = Math.max(LEAST_WEIGHT, near.cosines[at] ?? 0)
    const group = fitted.groups[j] ?? 0
    x += weight * (fitted.positions[2 * j] ?? 0)
    y += weight * (fitted.positions[2 * j + 1] ?? 0)
    sum += weight
    votes.set(group, (votes.get(group) ?? 0) + weight)
  }
  const [group] = [...votes].reduce((best, vote) => (vote[1] > best[1] ? vote : best))
  return { x: x / sum, y: y / sum, group }
}

type Plan = {
  live: Int32Array<ArrayBuffer>
  /** Rows of `live`: fitted, and placed among them afterwards. */
  fitted: Int32Array<ArrayBuffer>
  rest: Int32Array<ArrayBuffer>
  unit: Rows
  /** Neighbours of each, itself not counted. */
  count: number
  epochs: number
}

function planMap({ sae, deadFeatures, parameters, mostFitted = MOST_FITTED }: FeatureMapOptions): Plan {
  const decoder = decoderOf(sae)
  const live = liveFeatures(decoder.norms, deadFeatures)
  if (live.length < LEAST_FEATURES) throw new AppError('map-too-few', { found: live.length, least: LEAST_FEATURES })
  const unit = takeRows({ rows: unitRows(decoder), dIn: decoder.dIn }, live)
  const fitted = pickFitted(live.length, mostFitted, parameters.seed)
  const isFitted = new Set(fitted)
  const rest = Int32Array.from(live.keys()).filter((row) => !isFitted.has(row))
  const count = Math.min(parameters.neighbours, fitted.length - 1) - 1
  return { live, fitted, rest, unit, count, epochs: epochsFor(fitted.length) }
}

type Progress = () => Promise<boolean>

/** Where the fitted rows are [fitted, 2], and their groups [fitted]. */
async function fit({ fitted, unit, count, epochs }: Plan, { parameters }: FeatureMapOptions, onStep: Progress) {
  const own = takeRows(unit, fitted)
  const nearest = await nearestRows({ of: own, among: own, count, isAllowed: (i, j) => i !== j, onBlock: onStep })
  if (!nearest) return null
  const { seed, minDist, spread, resolution } = parameters
  const random = Random.fromSeed(seed, STREAMS.layout)
  const positions = await layOut({ nearest, count, minDist, spread, epochs, random, onEpoch: onStep })
  if (!positions) return null
  const groups = findCommunities(nearest, { count, resolution, random: Random.fromSeed(seed, STREAMS.clusters) })
  return { positions, groups, own }
}

/**
 * Makes the map of the features that fire.
 * @returns null when `onStep` said to stop
 * @throws AppError map-too-few
 */
export async function makeFeatureMap(options: FeatureMapOptions): Promise<MapColumns | null> {
  const plan = planMap(options)
  const { live, fitted, rest, unit, count, epochs } = plan
  const blocks = (rows: number) => Math.ceil(rows / rowsPerBlock(fitted.length))
  const total = blocks(fitted.length) + epochs + blocks(rest.length)
  let done = 0
  const onStep = () => options.onStep(++done, total)
  const found = await fit(plan, options, onStep)
  if (!found) return null
  const [positions, groups] = [new Float32Array(2 * live.length), new Int32Array(live.length)]
  fitted.forEach((row, at) => {
    positions.set(found.positions.subarray(2 * at, 2 * at + 2), 2 * row)
    groups[row] = found.groups[at] ?? 0
  })
  if (rest.length > 0) {
    const search = { of: takeRows(unit, rest), among: found.own, count, isAllowed: () => true, onBlock: onStep }
    const near = await nearestRows(search)
    if (!near) return null
    rest.forEach((row, at) => {
      const { x, y, group } = placeAmong(near, at, count, found)
      positions.set([x, y], 2 * row)
      groups[row] = group
    })
  }
  const parameters = {
    ...options.parameters,
    neighbours: count + 1,
    epochs,
    fitted: fitted.length,
    placed: rest.length,
  }
  return { parameters, features: live, positions, clusters: numberBySize(groups) }
}
