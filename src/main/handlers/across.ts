/** Answers which features of other autoencoders of the same model and hook are most like one; the warm worker compares. */
import { across, type LeftOut, type OtherSae } from '../../shared/contract/across'
import type { Sae } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import type { HandlersOf } from '../../shared/wire'
import { checkFeatures, type Services } from './services'

/** Of each other autoencoder. */
const NEAREST = 10

type Of = { sae: Sae; featureIndex: number }

/** Nearest features of one other autoencoder. @throws AppError of the files */
async function nearestIn(
  { store, warm }: Services,
  { sae, featureIndex }: Of,
  other: Sae,
  signal: AbortSignal,
): Promise<OtherSae> {
  const ask = { of: { path: sae.path, featureIndex }, among: other.path, count: NEAREST }
  const { indexes, cosines } = await warm.ask('nearestAcross', ask, signal)
  const cosineOf = new Map(Array.from(indexes, (index, at) => [index, cosines[at] ?? 0]))
  const neighbours = store.features
    .figures(other.id, [...indexes])
    .map(({ featureIndex: index, label, density, topToken }) => ({
      ...{ featureIndex: index, label, density, topToken, cosine: cosineOf.get(index) ?? 0 },
    }))
  return { saeId: other.id, name: other.name, dSae: other.dSae, neighbours }
}

export const acrossHandlers = (services: Services) =>
  ({
    'features.across': async ({ saeId, featureIndex }, signal) => {
      const { store } = services
      const sae = store.saes.get(saeId)
      checkFeatures(sae, [featureIndex])
      const same = ({ id, modelId, hookName }: Sae) =>
        id !== saeId && modelId === sae.modelId && hookName === sae.hookName
      const candidates = store.saes.list().filter(same)
      candidates.sort((a, b) => a.dSae - b.dSae || a.id - b.id)
      const others: OtherSae[] = []
      const leftOut: LeftOut[] = []
      for (const other of candidates) {
        const { id, name } = other
        if (!other.atlas) {
          leftOut.push({ saeId: id, name, why: 'atlas' })
          continue
        }
        try {
          others.push(await nearestIn(services, { sae, featureIndex }, other, signal))
        } catch (error) {
          // One's own folder is read first and is named by the error; without it nothing can be compared.
          if (!(error instanceof AppError) || error.code !== 'sae-invalid' || error.details.path === sae.path)
            throw error
          leftOut.push({ saeId: id, name, why: 'file' })
        }
      }
      return { others, leftOut }
    },
  }) satisfies HandlersOf<typeof across>
