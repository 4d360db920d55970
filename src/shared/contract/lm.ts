/** Asking a language model directly: what it predicts, and what it writes. */
import { z } from 'zod'
import { Id, TokenSpan } from '../domain'
import { took } from '../took'
import { call, feed } from '../wire'

const Text = z.string().max(200_000)

/** One prediction: a token and its probability, 0 to 1. */
export const Prediction = z.object({ id: z.int(), text: z.string(), probability: z.number() })
export type Prediction = z.infer<typeof Prediction>

/** A token of a text as the model read it. */
export const ReadToken = z.object({
  id: z.int(),
  /** What it writes; bytes that are no character by themselves stand as ⟨E2⟩. */
  text: z.string(),
  special: z.boolean(),
  /** -ln p(this token | those before), nats; null for the first. */
  loss: z.number().nullable(),
  /** Its place among all tokens by probability, 1 for the most probable, equal ones by id; null for the first. */
  rank: z.int().min(1).nullable(),
  /** What the model expects after it, most probable first. */
  next: z.array(Prediction),
})
export type ReadToken = z.infer<typeof ReadToken>

export const Reading = z.object({
  tokens: z.array(ReadToken),
  /** The same text in whole characters; `value` is the largest loss of its tokens. */
  spans: z.array(TokenSpan),
  /** Over all tokens but the first, nats; null for a single token. */
  meanLoss: z.number().nullable(),
  ...took,
})
export type Reading = z.infer<typeof Reading>

export const Sampling = z.object({
  maxTokens: z.int().min(1).max(4096).default(64),
  /** 0 takes the most probable token. */
  temperature: z.number().min(0).max(10).default(0),
  /** Smallest set of tokens whose probabilities reach this share. */
  topP: z.number().gt(0).max(1).default(1),
  seed: z.int().min(0).max(2 ** 31 - 1).default(0), // prettier-ignore
})
export type Sampling = z.infer<typeof Sampling>

/** A token that was generated, or the end of a prompt's continuation. */
export const Generated = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('token'),
    prompt: z.int(),
    id: z.int(),
    /** Text that is complete with this token; empty while a character still lacks bytes. */
    text: z.string(),
    /** Whether it is a token that is no text, as the one that ends an answer. */
    special: z.boolean(),
    /** Under the model, at temperature 1. */
    probability: z.number(),
  }),
  z.object({ type: z.literal('end'), prompt: z.int(), reason: z.enum(['length', 'stop-token', 'context']) }),
])
export type Generated = z.infer<typeof Generated>

export const ChatMessage = z.object({ role: z.enum(['system', 'user', 'assistant']), content: Text })
export type ChatMessage = z.infer<typeof ChatMessage>

export const lm = {
  /** Reads a text once. */
  'lm.read': call(z.object({ modelId: Id, text: Text.min(1), top: z.int().min(1).max(20).default(5) }), Reading),
  /** Continues every prompt, all at once, and tells each token as it comes. */
  'lm.generate': feed(
    z.object({ modelId: Id, prompts: z.array(Text.min(1)).min(1).max(16), sampling: Sampling }),
    Generated,
  ),
  /** Messages as the model's chat template writes them, ready to be continued. */
  'lm.chatText': call(
    z.object({ modelId: Id, messages: z.array(ChatMessage).min(1).max(100) }),
    z.object({ text: z.string() }),
  ),
}
