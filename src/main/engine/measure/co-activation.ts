/** Which features are active together: what else is active on a random sample of every feature's tokens, in parts that merge exactly. */
import { Reservoir } from './reservoir'
import type { TokenKey } from './reservoir'
import type { RowCodes } from './window-codes'
import { Largest } from './largest'

/** Of a token, at most so many of its most active features are counted. */
export const PARTNERS = 48
/** Sampled tokens per feature, at most and at least. */
const MOST_TOKENS = 64
const FEWEST_TOKENS = 16
/** Room that the samples may take before there are fewer of them. */
const ROOM_BYTES = 2 ** 30

/** Tokens that are sampled for each feature of a dictionary. */
export const sampledTokens = (dSae: number): number =>
  Math.max(FEWEST_TOKENS, Math.min(MOST_TOKENS, Math.floor(ROOM_BYTES / (4 * PARTNERS * dSae))))

export class CoActivation {
  /** A group for each feature. */
  readonly sample: Reservoir
  /** Features that are active on each sampled token [dSae * size, PARTNERS], by index, padded with -1. */
  readonly partners: Int32Array<ArrayBuffer>

  constructor(private readonly dSae: number) {
    this.sample = new Reservoir(dSae, sampledTokens(dSae))
    this.partners = new Int32Array(dSae * this.sample.size * PARTNERS).fill(-1)
  }

  /** Offers a token to every feature that is active on it. */
  offer(token: TokenKey, { starts, features, values }: RowCodes, row: number): void {
    const [begin, end] = [starts[row] ?? 0, starts[row + 1] ?? 0]
    let active: Uint32Array | null = null
    for (let at = begin; at < end; at++) {
      const feature = features[at] ?? 0
      if (token.key > (this.sample.limits[feature] ?? 0)) continue
      const slot = this.sample.place(feature, token)
      if (slot < 0) continue
      active ??= strongest(features.subarray(begin, end), values.subarray(begin, end))
      this.partners.fill(-1, slot * PARTNERS, (slot + 1) * PARTNERS)
      this.partners.set(active, slot * PARTNERS)
    }
  }

  /** Takes in one feature of another part. */
  mergeFeature(other: CoActivation, feature: number): void {
    for (const from of other.sample.slots(feature)) {
      const slot = this.sample.place(feature, other.sample.tokenAt(from))
      if (slot < 0) continue
      this.partners.set(other.partners.subarray(from * PARTNERS, (from + 1) * PARTNERS), slot * PARTNERS)
    }
  }

  /**
   * For each feature the others whose share of its sampled tokens is furthest above their share of all tokens.
   * @param densities share of all tokens [dSae]
   * @param count others that are kept for each
   * @returns `indexes` [dSae, count] from the furthest down, padded with -1; `shares` of the sampled tokens; tokens sampled [dSae]
   */
  figures(densities: Float64Array, count: number) {
    const { dSae } = this
    const indexes = new Int32Array(dSae * count).fill(-1)
    const shares = new Float32Array(dSae * count)
    const sampled = new Int32Array(dSae)
    const counts = new Uint32Array(dSae)
    for (let feature = 0; feature < dSae; feature++) {
      const tokens = this.sample.used[feature] ?? 0
      sampled[feature] = tokens
      const first = feature * this.sample.size * PARTNERS
      const seen: number[] = []
      for (const partner of this.partners.subarray(first, first + tokens * PARTNERS)) {
        if (partner < 0 || partner === feature) continue
        if (counts[partner] === 0) seen.push(partner)
        counts[partner] = (counts[partner] ?? 0) + 1
      }
      const shareOf = (other: number) => (counts[other] ?? 0) / tokens
      const excess = (other: number) => shareOf(other) - (densities[other] ?? 0)
      const above = seen.filter((other) => excess(other) > 0)
      above.sort((a, b) => excess(b) - excess(a) || a - b)
      above.slice(0, count).forEach((other, k) => {
        indexes[feature * count + k] = other
        shares[feature * count + k] = shareOf(other)
      })
      for (const partner of seen) counts[partner] = 0
    }
    return { indexes, shares, sampled }
  }
}

/** At most {@link PARTNERS} of the features with the largest values, by index. */
function strongest(features: Uint32Array, values: Float32Array): Uint32Array {
  if (features.length <= PARTNERS) return features
  const largest = new Largest(PARTNERS)
  values.forEach((value, at) => largest.offer(at, value))
  return Uint32Array.from(largest.indexes(), (at) => features[at] ?? 0).sort()
}
