/** Answers about a language model alone: the warm worker computes, here tokens become text. */
import type { z } from 'zod'
import { lm, type ReadToken } from '../../shared/contract/lm'
import { toSpans, type TokenPieces } from '../../shared/token-spans'
import type { HandlersOf } from '../../shared/wire'
import type { ReadTokens } from '../jobs/messages'
import type { Services } from './services'
import { tookSince } from './took'

type Question = z.output<(typeof lm)['lm.read']['input']>

/** Loss and rank of a token that has none: the first, and a BOS that was put before the text. */
const UNKNOWN = -1

function tokensOf(read: ReadTokens, pieces: TokenPieces): ReadToken[] {
  const top = read.ids.length === 0 ? 0 : read.nextIds.length / read.ids.length
  const textOf = (id: number) => toSpans([id], null, pieces)[0]?.text ?? ''
  return Array.from(read.ids, (id, at) => {
    const loss = read.losses[at] ?? UNKNOWN
    return {
      id,
      text: textOf(id),
      special: pieces.special[id] === 1,
      loss: loss < 0 ? null : loss,
      rank: loss < 0 ? null : (read.ranks[at] ?? 0) + 1,
      next: Array.from(read.nextIds.subarray(at * top, (at + 1) * top), (next, k) => ({
        id: next,
        text: textOf(next),
        probability: read.nextProbabilities[at * top + k] ?? 0,
      })),
    }
  })
}

async function readText({ store, warm, pieces }: Services, { modelId, text, top }: Question, signal: AbortSignal) {
  const startedAt = performance.now()
  const model = store.models.get(modelId)
  const modelPieces = await pieces.of(model.sha256)
  const read = await warm.ask('readText', { model, text, top }, signal)
  const tokens = tokensOf(read, modelPieces)
  const losses = tokens.flatMap(({ loss }) => loss ?? [])
  return {
    tokens,
    spans: toSpans(read.ids, read.losses, modelPieces, read.places && { text, places: read.places }),
    meanLoss: losses.length === 0 ? null : losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
    ...tookSince(startedAt, read.seconds),
  }
}

export const lmHandlers = (services: Services) => {
  const { store, warm } = services
  return {
    'lm.read': (question, signal) => readText(services, question, signal),
    async *'lm.generate'({ modelId, prompts, sampling }, signal) {
      const model = store.models.get(modelId)
      yield* warm.stream('generate', { model, prompts, sampling }, signal)
    },
    'lm.chatText': async ({ modelId, messages }, signal) =>
      warm.ask('chatText', { model: store.models.get(modelId), messages }, signal),
  } satisfies HandlersOf<typeof lm>
}
