/** Answers how two features differ: the warm worker reads both on the strongest contexts of each. */
import { compare, COMPARED_CONTEXTS } from '../../shared/contract/compare'
import type { Context, Counterpart, Passage, Sae } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import { isOnResidualStream } from '../../shared/hooks'
import { toSpans } from '../../shared/token-spans'
import type { AtlasText } from '../../shared/token-spans'
import type { HandlersOf } from '../../shared/wire'
import { atlasText, checkFeatures, type Services } from './services'
import { tookSince } from './took'

type Place = { saeId: number; featureIndex: number }
type Side = { sae: Sae; featureIndex: number; text: AtlasText; contexts: Context[] }

async function sideOf(services: Services, { saeId, featureIndex }: Place): Promise<Side> {
  const sae = services.store.saes.get(saeId)
  checkFeatures(sae, [featureIndex])
  const text = await atlasText(services, sae)
  const { contexts } = services.store.features.get(saeId, featureIndex, text)
  return { sae, featureIndex, text, contexts: contexts.slice(0, COMPARED_CONTEXTS) }
}

const idsOf = ({ spans }: Context) => spans.flatMap(({ ids }) => ids)

/** A context with everything before it that its window may hold. */
function passageOf({ sae, text }: Side, context: Context): Passage {
  const { documentIndex: document, start: from } = context
  const first = Math.max(0, from - sae.contextSize)
  const ids = text.ids(document, first, from - first + idsOf(context).length)
  return { corpus: sae.atlas?.datasetId ?? 0, document, contextSize: sae.contextSize, first, ids, from }
}

function counterpart({ text }: Side, context: Context, values: Float32Array | undefined): Counterpart {
  const { documentIndex, position, start } = context
  const spans = toSpans(idsOf(context), values ?? null, text.pieces)
  return { documentIndex, position, value: values?.[position - start] ?? 0, spans }
}

export const compareHandlers = (services: Services) =>
  ({
    'features.compare': async ({ one: oneAt, other: otherAt }, signal) => {
      const startedAt = performance.now()
      const [one, other] = [await sideOf(services, oneAt), await sideOf(services, otherAt)]
      if (one.sae.modelId !== other.sae.modelId) {
        throw new AppError('compare-models', { one: one.sae.modelName, other: other.sae.modelName })
      }
      const hooks = [one.sae.hookName, other.sae.hookName]
      const isSameSpace = hooks[0] === hooks[1] || hooks.every(isOnResidualStream)
      const askOf = ({ sae: { path, hookName }, featureIndex }: Side) => ({ path, hookName, featureIndex })
      const passages = [one, other].flatMap((side) => side.contexts.map((context) => passageOf(side, context)))
      const model = services.store.models.get(one.sae.modelId)
      const ask = { model, one: askOf(one), other: askOf(other), compareDirections: isSameSpace, passages }
      const { values, seconds, ...figures } = await services.warm.ask('compareFeatures', ask, signal)
      const later = values.slice(one.contexts.length)
      return {
        ...{ ...figures, isSameSpace },
        one: one.contexts.map((context, at) => counterpart(one, context, values[at]?.other)),
        other: other.contexts.map((context, at) => counterpart(other, context, later[at]?.one)),
        ...tookSince(startedAt, seconds),
      }
    },
  }) satisfies HandlersOf<typeof compare>
