/** What tokenizer.json says, as far as it is read here: the vocabulary, the added tokens, and the forms of its steps. */
import { z } from 'zod'
import type { PieceStyle, VocabularyEntry } from './token-pieces'

/** Four times the largest vocabulary that is published; pieces are allocated up to the largest id. */
const MAX_VOCABULARY = 4_000_000
/** Published added tokens have at most some dozens of characters; all of them are searched for in every text. */
const MAX_ADDED_CHARACTERS = 10_000
const TokenId = z.int().min(0).max(MAX_VOCABULARY - 1) // prettier-ignore

/** A normalizer, a pre-tokenizer or a decoder. */
export type Step = { type?: string | undefined; [part: string]: unknown }
const Step: z.ZodType<Step> = z.looseObject({ type: z.string().optional() })

export const TokenizerJson = z.looseObject({
  model: z.looseObject({
    type: z.string().optional(),
    vocab: z.union([z.record(z.string(), TokenId), z.array(z.unknown()).max(MAX_VOCABULARY)]),
    byte_fallback: z.boolean().nullish(),
  }),
  added_tokens: z
    .array(z.looseObject({ id: TokenId, content: z.string().max(MAX_ADDED_CHARACTERS), special: z.boolean() }))
    .max(MAX_VOCABULARY)
    .nullish(),
  normalizer: Step.nullish(),
  pre_tokenizer: Step.nullish(),
  decoder: Step.nullish(),
  post_processor: Step.nullish(),
})
export type TokenizerJson = z.infer<typeof TokenizerJson>

/** The forms of models there are; the first tokenizers left the form out, which then was BPE or WordPiece. */
export const MODEL_FORMS = ['BPE', 'WordPiece', 'Unigram', 'WordLevel']

/** A step and all steps nested in it, in order. */
export function flatSteps(step: unknown): Step[] {
  if (Array.isArray(step)) return step.flatMap(flatSteps)
  const parsed = Step.safeParse(step)
  if (!parsed.success) return []
  const { normalizers, pretokenizers, decoders, processors } = parsed.data
  const nested = [normalizers, pretokenizers, decoders, processors].filter((steps) => steps !== undefined)
  return nested.length > 0 ? nested.flatMap(flatSteps) : [parsed.data]
}

export function pieceStyle({ decoder, pre_tokenizer, model }: TokenizerJson): PieceStyle {
  const types = [...flatSteps(decoder), ...flatSteps(pre_tokenizer)].map(({ type }) => type)
  if (types.includes('ByteLevel')) return 'byte-level'
  return types.includes('Metaspace') || types.includes('ByteFallback') || model.byte_fallback ? 'metaspace' : 'plain'
}

/** Pieces of a Unigram model stand in a list of pairs, and their place is their id. */
const listed = (piece: unknown, id: number): [string, number] | null =>
  Array.isArray(piece) && typeof piece[0] === 'string' ? [piece[0], id] : null

export function listVocabulary({ model, added_tokens }: TokenizerJson): VocabularyEntry[] {
  const base = Array.isArray(model.vocab)
    ? model.vocab.map(listed).filter((entry) => entry !== null)
    : Object.entries(model.vocab)
  const added = new Map((added_tokens ?? []).map((token) => [token.id, token]))
  const entries = base
    .filter(([, id]) => !added.has(id))
    .map(([token, id]): VocabularyEntry => ({ id, token, special: false, added: false }))
  for (const { id, content, special } of added.values()) entries.push({ id, token: content, special, added: true })
  return entries
}

const TemplatePart = z.looseObject({ SpecialToken: z.looseObject({ id: z.string() }).optional() })
const Template = z.looseObject({
  type: z.literal('TemplateProcessing'),
  single: z.array(TemplatePart),
  special_tokens: z.record(z.string(), z.unknown()),
})

/**
 * A special token that the template around a text asks for and does not define: the native library ends its process over that.
 * @returns null when all are defined
 */
export function undefinedInTemplate({ post_processor }: TokenizerJson): string | null {
  const steps = flatSteps(post_processor)
  for (const step of steps) {
    const { data } = Template.safeParse(step)
    const asked = (data?.single ?? []).flatMap(({ SpecialToken }) => (SpecialToken ? [SpecialToken.id] : []))
    const missing = asked.find((id) => !Object.hasOwn(data?.special_tokens ?? {}, id))
    if (missing !== undefined) return missing
  }
  return null
}

/**
 * How many times longer the normalizers may make a text at most, as far as they say it: the product over all replacements and prefixes.
 * @returns 1 when none makes it longer
 */
export function growthOf({ normalizer }: TokenizerJson): number {
  const lengthOf = (part: unknown) => (typeof part === 'string' ? part.length : 0)
  return flatSteps(normalizer).reduce((growth, { type, content, prepend, pattern }) => {
    if (type === 'Prepend') return growth * Math.max(1, lengthOf(prepend))
    if (type !== 'Replace') return growth
    const replaced = z.looseObject({ String: z.string() }).safeParse(pattern)
    return growth * Math.max(1, lengthOf(content) / Math.max(1, lengthOf(replaced.data?.String)))
  }, 1)
}
