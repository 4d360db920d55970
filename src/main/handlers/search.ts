/** Answers to searches by prompt combinations: the warm worker computes, the store knows the features. */
import type { z } from 'zod'
import { search } from '../../shared/contract/search'
import { toSpans } from '../../shared/token-spans'
import type { HandlersOf } from '../../shared/wire'
import { piecesOf, type Services } from './services'
import { tookSince } from './took'

type Question = z.output<(typeof search)['search.prompts']['input']>

async function searchPrompts(services: Services, question: Question, signal: AbortSignal) {
  const { store, warm } = services
  const startedAt = performance.now()
  const sae = store.saes.get(question.saeId)
  const pieces = await piecesOf(services, sae)
  const { maxActivations, densities } = store.features.columns(sae.id, sae.dSae)
  const allowed = Uint8Array.from(densities, (density) => (density > 0 && density <= question.maxDensity ? 1 : 0))
  const found = await warm.ask(
    'searchPrompts',
    {
      model: store.models.get(sae.modelId),
      sae: { path: sae.path, hookName: sae.hookName, contextSize: sae.contextSize },
      prompts: question.prompts.map(({ text, sign }) => ({ text, positive: sign === 'positive' })),
      maxActivations,
      allowed,
      limit: question.limit,
    },
    signal,
  )
  const count = question.prompts.length
  const rows = new Map(
    store.features.rows(sae.id, [...found.featureIndexes], pieces).map((row) => [row.featureIndex, row]),
  )
  const hits = [...found.featureIndexes].flatMap((featureIndex, i) => {
    const row = rows.get(featureIndex)
    if (!row) return []
    const { label, tags, density, maxActivation, topToken, peakSpans } = row
    const values = [...found.values.subarray(i * count, (i + 1) * count)]
    const facts = { featureIndex, label, tags, density, maxActivation, topToken, peakSpans }
    return [{ ...facts, values, score: found.scores[i] ?? 0 }]
  })
  return {
    hits,
    matching: found.matching,
    prompts: found.promptIds.map((ids) => toSpans(ids, null, pieces)),
    ...tookSince(startedAt, found.seconds),
  }
}

export const searchHandlers = (services: Services) =>
  ({
    'search.prompts': (question, signal) => searchPrompts(services, question, signal),
  }) satisfies HandlersOf<typeof search>
