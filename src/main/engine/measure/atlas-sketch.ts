/**
 * What a pass over some documents leaves of every feature. Sketches of different documents merge exactly: however a corpus is cut,
 * the merged sketch has the same bytes. Room is fixed from the start, see {@link sketchBytes}.
 */
import { HISTOGRAM_BINS, INTERVALS, TOGETHER } from '../../files/atlas-file'
import type { AtlasContexts, AtlasTogether } from '../../files/atlas-file'
import { CoActivation, PARTNERS, sampledTokens } from './co-activation'
import { columnsOf } from './context-columns'
import { RandomContexts } from './random-contexts'
import { keyOf } from './reservoir'
import type { Reservoir } from './reservoir'
import type { ContextSlots } from './context-slots'
import { FeatureStatistics, FINE_BINS } from './statistics'
import type { FeatureFigures } from './statistics'
import { TopContexts } from './top-contexts'
import { WindowCodes } from './window-codes'
import type { RowCodes } from './window-codes'

export type SketchSizes = {
  dSae: number
  /** Contexts of the strongest, and random ones of each interval. */
  topContexts: number
  intervalContexts: number
  seed: number
}

/** Some tokens of one document: rows [firstRow, endRow) of codes, the first at position `start`. */
export type SketchWindow = { document: number; start: number; firstRow: number; endRow: number }

const COUNTED = ['documents', 'tokens', 'bosTokens', 'sinkTokens'] as const
type Counted = (typeof COUNTED)[number]

export type SketchFigures = FeatureFigures &
  Record<Counted, number> & { contexts: AtlasContexts; together: AtlasTogether }

/** Bytes of a slot of context-slots.ts, with its key in a reservoir. */
const SLOT_BYTES = 4 + 4 + 4 + 1 + 1 + 2 * 32
const KEY_BYTES = 12

/** Bytes that a sketch takes, whatever it is fed. */
export function sketchBytes({ dSae, topContexts, intervalContexts }: Omit<SketchSizes, 'seed'>): number {
  const statistics = 8 + 16 + 4 + 8 + 4 * FINE_BINS
  const top = topContexts * SLOT_BYTES + 1 + 4
  const random = INTERVALS * (intervalContexts * (SLOT_BYTES + KEY_BYTES) + 1 + 4)
  const together = sampledTokens(dSae) * (4 * PARTNERS + KEY_BYTES) + 1 + 4
  const window = 8
  return dSae * (statistics + top + random + together + window)
}

export class AtlasSketch {
  readonly statistics: FeatureStatistics
  readonly top: TopContexts
  readonly random: RandomContexts
  readonly together: CoActivation
  /** Documents, encoded tokens, and those left out: BOS and attention sinks; see {@link count}. */
  private readonly counts = new Float64Array(COUNTED.length)
  private readonly window: WindowCodes

  constructor(readonly sizes: SketchSizes) {
    const { dSae, topContexts, intervalContexts } = sizes
    this.statistics = new FeatureStatistics(dSae)
    this.top = new TopContexts(dSae, topContexts)
    this.random = new RandomContexts(dSae, intervalContexts)
    this.together = new CoActivation(dSae)
    this.window = new WindowCodes(dSae)
  }

  count(what: Counted, more: number): void {
    this.counts[COUNTED.indexOf(what)] = this.countOf(what) + more
  }

  countOf(what: Counted): number {
    return this.counts[COUNTED.indexOf(what)] ?? 0
  }

  /** Takes in a window; those of a document come in order. */
  add(codes: RowCodes, { document, start, firstRow, endRow }: SketchWindow): void {
    const { seed } = this.sizes
    const keys = Uint32Array.from({ length: endRow - firstRow }, (_, row) => keyOf(seed, document, start + row))
    keys.forEach((key, row) => this.together.offer({ key, document, position: start + row }, codes, firstRow + row))
    this.window.load(codes, firstRow, endRow)
    for (let i = 0; i < this.window.count; i++) this.addFeature(i, { document, start, keys })
  }

  /** All that is in it, for files; filling them again brings it back. */
  arrays(): Record<string, ArrayBufferView<ArrayBuffer>> {
    const { statistics, top, random, together } = this
    statistics.sums.settle()
    return {
      counts: this.counts,
      ...{ fired: statistics.fired, high: statistics.sums.high, low: statistics.sums.low, max: statistics.max },
      ...{ range: statistics.range, fine: statistics.fine },
      ...{ topUsed: top.used, topFloor: top.floor, ...named('top', top.slots) },
      ...{ ...named('random', random.slots), ...named('randomKey', random.sample) },
      ...{ ...named('together', together.sample), partners: together.partners },
    }
  }

  /** Takes in what another sketch has seen of other documents; the other may be changed by it. */
  merge(other: AtlasSketch): void {
    const { statistics } = this
    for (const what of COUNTED) this.count(what, other.countOf(what))
    statistics.sums.merge(other.statistics.sums)
    for (let feature = 0; feature < this.sizes.dSae; feature++) {
      const [own, its] = [statistics.range[feature] ?? 0, other.statistics.range[feature] ?? 0]
      if (its === 0) continue
      // Just below its range is enough to make the two equal.
      this.widen(feature, its / 2)
      if (own > its) other.widen(feature, own / 2)
      statistics.mergeFeature(other.statistics, feature)
      this.top.mergeFeature(other.top, feature)
      this.random.mergeFeature(other.random, feature)
      this.together.mergeFeature(other.together, feature)
    }
  }

  figures(): SketchFigures {
    const figures = this.statistics.figures(HISTOGRAM_BINS)
    const densities = figures.fired.map((fired) => fired / Math.max(1, this.countOf('tokens')))
    const [documents, tokens] = [this.countOf('documents'), this.countOf('tokens')]
    const [bosTokens, sinkTokens] = [this.countOf('bosTokens'), this.countOf('sinkTokens')]
    const counts = { documents, tokens, bosTokens, sinkTokens }
    return {
      ...figures,
      ...counts,
      contexts: columnsOf({ top: this.top, random: this.random, dSae: this.sizes.dSae }),
      together: this.together.figures(densities, TOGETHER),
    }
  }

  private addFeature(i: number, from: { document: number; start: number; keys: Uint32Array }): void {
    const { rows, values, touched, begins } = this.window
    const { statistics, random, top } = this
    const feature = touched[i] ?? 0
    const activity = { rows, values, begin: begins[i] ?? 0, end: begins[i + 1] ?? 0 }
    let peak = activity.begin
    for (let k = peak + 1; k < activity.end; k++) if ((values[k] ?? 0) > (values[peak] ?? 0)) peak = k
    this.widen(feature, values[peak] ?? 0)
    const firing = (k: number) => ({
      ...{ value: values[k] ?? 0, document: from.document, windowStart: from.start },
      ...{ windowTokens: from.keys.length, row: rows[k] ?? 0 },
    })
    for (let k = activity.begin; k < activity.end; k++) {
      const value = values[k] ?? 0
      statistics.add(feature, value)
      const group = feature * INTERVALS + statistics.intervalOf(feature, value)
      const key = from.keys[rows[k] ?? 0] ?? 0
      if (key <= (random.sample.limits[group] ?? 0)) random.offer(group, key, firing(k), activity)
    }
    if ((values[peak] ?? 0) >= (top.floor[feature] ?? 0)) top.offer(feature, firing(peak), activity)
  }

  private widen(feature: number, value: number): void {
    const times = this.statistics.widen(feature, value)
    for (let k = 0; k < times; k++) this.random.halve(feature)
  }
}

/** The arrays of a part under names of their own. */
const named = (prefix: string, part: ContextSlots | Reservoir): Record<string, ArrayBufferView<ArrayBuffer>> =>
  Object.fromEntries(
    Object.entries(part).flatMap(([name, array]: [string, unknown]) =>
      ArrayBuffer.isView(array) ? [[`${prefix}.${name}`, array as ArrayBufferView<ArrayBuffer>]] : [],
    ),
  )
