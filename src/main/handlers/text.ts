/** Answers about one's own text: the warm worker encodes it, the store knows the features. */
import { text, type TextFeature } from '../../shared/contract/text'
import type { Sae } from '../../shared/domain'
import { rankOf } from '../../shared/text-rank'
import { toSpans } from '../../shared/token-spans'
import type { HandlersOf } from '../../shared/wire'
import { checkFeatures, piecesOf, type Services } from './services'
import { tookSince } from './took'

/** How much is explained of text that the training did not see, as an evaluation or else the training found; null where nobody measured. */
const heldOutOf = ({ quality, summary }: Sae): number | null => (quality ?? summary)?.explainedVariance ?? null

type Own = { text: string; judge: boolean }

function encode({ store, warm }: Services, sae: Sae, own: Own, signal: AbortSignal) {
  const model = store.models.get(sae.modelId)
  const { path, hookName, contextSize } = sae
  return warm.ask('encodeText', { model, sae: { path, hookName, contextSize }, ...own }, signal)
}

/** Sums up the features of a text by span: a span of several tokens has the largest value of each feature on them. */
export function bySpan(
  spans: readonly { ids: readonly number[] }[],
  codes: { starts: Uint32Array; features: Uint32Array; values: Float32Array },
) {
  const starts = new Int32Array(spans.length + 1)
  const features: number[] = []
  const values: number[] = []
  let row = 0
  spans.forEach(({ ids }, s) => {
    const found = new Map<number, number>()
    for (let at = codes.starts[row] ?? 0; at < (codes.starts[row + ids.length] ?? 0); at++) {
      const feature = codes.features[at] ?? 0
      found.set(feature, Math.max(found.get(feature) ?? 0, codes.values[at] ?? 0))
    }
    row += ids.length
    features.push(...found.keys())
    values.push(...found.values())
    starts[s + 1] = features.length
  })
  return { starts, features, values: Float32Array.from(values) }
}

type Active = { features: ArrayLike<number>; values: ArrayLike<number> }

/** On how many tokens each feature of a text is active, and how strongly at most. A span may hold several tokens, as Hangul and emoji do. */
export function countFired({ features, values }: Active): Map<number, { firedTokens: number; largest: number }> {
  const found = new Map<number, { firedTokens: number; largest: number }>()
  for (let at = 0; at < features.length; at++) {
    const feature = features[at] ?? -1
    const { firedTokens, largest } = found.get(feature) ?? { firedTokens: 0, largest: 0 }
    found.set(feature, { firedTokens: firedTokens + 1, largest: Math.max(largest, values[at] ?? 0) })
  }
  return found
}

/** What is known of each active feature, in the order of {@link rankOf}. */
function known({ store }: Services, sae: Sae, active: Active): TextFeature[] {
  const found = countFired(active)
  const rows = store.features.figures(sae.id, [...found.keys()])
  const own = { firedTokens: 0, largest: 0 }
  return rows
    .map((row) => ({ ...row, ...(found.get(row.featureIndex) ?? own) }))
    .sort((a, b) => rankOf(b.largest, b) - rankOf(a.largest, a) || a.featureIndex - b.featureIndex)
}

export const textHandlers = (services: Services) => {
  const { store } = services
  return {
    'text.feature': async ({ saeId, featureIndex, text: written }, signal) => {
      const startedAt = performance.now()
      const sae = store.saes.get(saeId)
      checkFeatures(sae, [featureIndex])
      const { ids, places, sinks, starts, features, values, seconds } = await encode(
        services,
        sae,
        { text: written, judge: false },
        signal,
      )
      const acts = Float32Array.from(ids, (_, row) => {
        const at = features.subarray(starts[row], starts[row + 1]).indexOf(featureIndex)
        return at < 0 ? 0 : (values[(starts[row] ?? 0) + at] ?? 0)
      })
      const spans = toSpans(ids, acts, await piecesOf(services, sae), places && { text: written, places })
      return { spans, tokens: ids.length, sinkTokens: sinks, ...tookSince(startedAt, seconds) }
    },
    'text.features': async ({ saeId, text: written }, signal) => {
      const startedAt = performance.now()
      const sae = store.saes.get(saeId)
      const own = { text: written, judge: true }
      const { ids, places, sinks, seconds, explainedVariance, ...codes } = await encode(services, sae, own, signal)
      const spans = toSpans(ids, null, await piecesOf(services, sae), places && { text: written, places })
      const active = bySpan(spans, codes)
      const features = known(services, sae, codes)
      const place = new Map(features.map(({ featureIndex }, at) => [featureIndex, at]))
      return {
        ...{ spans, starts: active.starts, features, values: active.values },
        active: Int32Array.from(active.features, (feature) => place.get(feature) ?? -1),
        fit: { explainedVariance, heldOut: heldOutOf(sae) },
        ...{ tokens: ids.length, sinkTokens: sinks, ...tookSince(startedAt, seconds) },
      }
    },
  } satisfies HandlersOf<typeof text>
}
