/** What configs say of rotary positions, under old names and new: the base, the scaling, and how much of a head is rotated. */
import { z } from 'zod'
import type { RopeScaling } from './rotary'

const context = z.int().min(1).max(100_000_000)
/** One number for each rotating pair of a head. */
const factors = z.array(z.number().positive().max(1e9)).min(1).max(2048)

/** `rope_scaling`, or `rope_parameters`, which newer configs write for it and the base together. */
export const RopeJson = z.looseObject({
  rope_type: z.string().optional(),
  /** Older name of `rope_type`. */
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  partial_rotary_factor: z.number().positive().max(1).optional(),
  factor: z.number().positive().optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: context.optional(),
  short_factor: factors.optional(),
  long_factor: factors.optional(),
  attention_factor: z.number().positive().nullish(),
})
export type RopeJson = z.infer<typeof RopeJson>

/** Lengths that longrope may need beside its own numbers, in tokens. */
export type ContextLengths = { contextSize: number; originalContext: number | null }

/** LongRoPE: its original length may stand in the config itself, beside `rope_scaling`. */
function longRope(rope: RopeJson, { contextSize, originalContext }: ContextLengths): RopeScaling | null {
  const original = rope.original_max_position_embeddings ?? originalContext
  const { short_factor: short, long_factor: long } = rope
  if (!short || !long || !original) return null
  const stretch = rope.factor ?? contextSize / original
  const usual = stretch <= 1 || original === 1 ? 1 : Math.sqrt(1 + Math.log(stretch) / Math.log(original))
  return { type: 'longrope', short, long, originalContext: original, magnitude: rope.attention_factor ?? usual }
}

/** Phi-3 configs wrote `su`, and once `yarn`, for what is now called longrope; yarn itself has no lists of factors. */
const isLongRope = (type: string, rope: RopeJson) =>
  type === 'longrope' || type === 'su' || (type === 'yarn' && rope.short_factor !== undefined)

/**
 * @param rope null or undefined where a config has none
 * @throws Error naming a type that is not supported, or one whose numbers are missing
 */
export function ropeScaling(rope: RopeJson | null | undefined, lengths: ContextLengths): RopeScaling {
  const type = rope?.rope_type ?? rope?.type ?? 'default'
  if (!rope || type === 'default') return { type: 'none' }
  const { factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: original } = rope
  if (isLongRope(type, rope)) {
    const scaling = longRope(rope, lengths)
    if (scaling) return scaling
  } else if (type === 'linear') {
    if (factor) return { type, factor }
  } else if (type === 'llama3') {
    if (factor && low && high && original && high > low) {
      return { type, factor, lowFreqFactor: low, highFreqFactor: high, originalContext: original }
    }
  } else {
    throw new Error(`rope_scaling of type ${type} is not supported`)
  }
  throw new Error(`rope_scaling of type ${type} lacks its numbers`)
}

/**
 * How many features of a head are rotated.
 * @throws Error when that is no even number, or when longrope has factors for another number of pairs
 */
export function rotatingWidth(headDim: number, share: number, scaling: RopeScaling): number {
  const rotating = Math.floor(headDim * share)
  if (rotating < 2 || rotating % 2 !== 0) throw new Error(`${rotating} features of a head cannot be rotated`)
  if (scaling.type !== 'longrope') return rotating
  for (const list of [scaling.short, scaling.long]) {
    if (list.length !== rotating / 2) throw new Error(`longrope has ${list.length} factors for ${rotating / 2} pairs`)
  }
  return rotating
}
