/** Colours of points by a figure, by a group, or by whether they belong to one thing; as places between tokens of the stylesheet. */

/** A colour between two tokens. */
export type Shade = { from: string; to: string; share: number }
export type Coloured = { colours: Uint8Array; palette: readonly Shade[] }

/** Tokens of both ends of the scale, and of points that belong to nothing; the share of values beyond each end. */
export const SCALE_ENDS = { from: '--line-strong', to: '--act-line' } as const
const REST: Shade = { from: '--ink-disabled', to: '--ink-disabled', share: 0 }
const STEPS = 32
const BEYOND = 0.02
/** Colours of groups in the stylesheet; the next group starts over. */
export const GROUP_COLOURS = 8

const one = (token: string): Shade => ({ from: token, to: token, share: 0 })
export const groupToken = (group: number): string => `--cat-${(group % GROUP_COLOURS) + 1}`

/** The values above zero that one in fifty is below and above, so that a few far away leave colours to the others; both 1 for none. */
export function logRange(values: Float32Array): { low: number; high: number } {
  const sorted = values.filter((value) => value > 0).sort()
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 1
  return { low: at(BEYOND), high: at(1 - BEYOND) }
}

/** By the logarithm of a value in {@link logRange}; those beyond have the colour of its ends. */
export function byLogarithm(values: Float32Array): Coloured {
  const { low, high } = logRange(values)
  const span = Math.log(high / low)
  const palette = Array.from({ length: STEPS }, (_, step) => ({ ...SCALE_ENDS, share: step / (STEPS - 1) }))
  const share = (value: number) => Math.max(0, Math.min(1, Math.log(value / low) / span))
  const step = (value: number) => (value > 0 && span > 0 ? Math.round((STEPS - 1) * share(value)) : 0)
  return { colours: Uint8Array.from(values, step), palette }
}

/** By group, in colours that repeat. */
export function byGroup(groups: Int32Array): Coloured {
  const palette = Array.from({ length: GROUP_COLOURS }, (_, group) => one(groupToken(group)))
  return { colours: Uint8Array.from(groups, (group) => group % GROUP_COLOURS), palette }
}

/** Those that belong in one colour, all others grey. */
export function byMembership(ids: Int32Array, members: ReadonlySet<number>, token: string): Coloured {
  return { colours: Uint8Array.from(ids, (id) => (members.has(id) ? 1 : 0)), palette: [REST, one(token)] }
}

/** 1 at some rows of n, or null where there are none. */
export function markRows(n: number, rows: readonly number[]): Uint8Array | null {
  if (rows.length === 0) return null
  const marked = new Uint8Array(n)
  for (const row of rows) marked[row] = 1
  return marked
}
