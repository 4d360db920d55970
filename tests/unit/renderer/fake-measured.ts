/** What the fake program says of maps and of neurons, which jobs of their own measure, of files that changed, of two features, and of other autoencoders. */
import type { Comparison, FeatureMap, NeuronMatches } from '../../../src/shared/domain'
import type { LeftOut, OtherSae } from '../../../src/shared/contract/across'
import type { ChangedFile } from '../../../src/shared/contract/stale'
import { AppError } from '../../../src/shared/errors'
import { makeDataset, makeJob } from './fake-runs'

export class FakeMeasured {
  map: FeatureMap | null = null
  neurons: NeuronMatches | null = null
  changed: ChangedFile[] = []
  /** Null until a test gives one. */
  comparison: Comparison | null = null
  across: { others: OtherSae[]; leftOut: LeftOut[] } = { others: [], leftOut: [] }

  handlers() {
    return {
      'map.get': () => Promise.resolve(this.map),
      'map.start': ({ saeId }: { saeId: number }) => Promise.resolve(makeJob(4, { kind: 'map', saeId })),
      'features.compare': () =>
        this.comparison
          ? Promise.resolve(this.comparison)
          : Promise.reject(new AppError('not-found', { what: 'feature', id: 0 })),
      'features.across': () => Promise.resolve(this.across),
      'atlas.changed': () => Promise.resolve(this.changed),
      'datasets.list': () => Promise.resolve([makeDataset(3, { name: 'stories' })]),
      'neurons.get': () => Promise.resolve(this.neurons),
      'neurons.feature': ({ featureIndex }: { featureIndex: number }) => {
        const row = this.neurons?.rows.find(({ feature }) => feature.featureIndex === featureIndex)
        const best = row ? { place: row.place, r: row.r, firedTokens: row.firedTokens } : null
        return Promise.resolve({ summary: this.neurons?.summary ?? null, best })
      },
      'neurons.start': ({ saeId }: { saeId: number }) => Promise.resolve(makeJob(5, { kind: 'neurons', saeId })),
      'jobs.cancel': () => Promise.resolve(null),
    }
  }
}
