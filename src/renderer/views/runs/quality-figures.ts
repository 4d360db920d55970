/** Which figures of an evaluation are shown together, and how each is written. */
import type { SaeQuality } from '../../../shared/domain'

type Key = Exclude<keyof SaeQuality, 'tokens' | 'densityHistogram' | 'datasetName' | 'isHeldOut' | 'evaluatedAt'>
/** How a figure is written: a number with so many digits, a share of 1, or nats. */
export type FigureForm = { digits: number; unit?: 'nats' } | 'share'

const NATS: FigureForm = { digits: 4, unit: 'nats' }

/** Figures by what they judge, in the order in which they are shown. */
export const QUALITY_GROUPS: readonly {
  group: 'reconstruction' | 'features' | 'predictions'
  figures: readonly { key: Key; form: FigureForm }[]
}[] = [
  {
    group: 'reconstruction',
    figures: [
      { key: 'explainedVariance', form: { digits: 4 } },
      { key: 'normalisedMse', form: { digits: 4 } },
      { key: 'cosine', form: { digits: 4 } },
      { key: 'l2Ratio', form: { digits: 4 } },
      { key: 'shrinkage', form: { digits: 4 } },
      { key: 'relativeBias', form: { digits: 4 } },
    ],
  },
  {
    group: 'features',
    figures: [
      { key: 'l0', form: { digits: 2 } },
      { key: 'l1', form: { digits: 2 } },
      { key: 'silentFraction', form: 'share' },
    ],
  },
  {
    group: 'predictions',
    figures: [
      { key: 'ceClean', form: NATS },
      { key: 'ceSpliced', form: NATS },
      { key: 'ceZero', form: NATS },
      { key: 'ceMean', form: NATS },
      { key: 'ceRecovered', form: 'share' },
      { key: 'ceRecoveredMean', form: 'share' },
      { key: 'kl', form: NATS },
      { key: 'klScore', form: 'share' },
    ],
  },
]

const LOWEST_DECADE = -7
const BINS_PER_DECADE = 2

/** Bins of the density histogram that hold features: exponents of 10 of their edges, and how many. */
export function densityBins(counts: readonly number[]): { from: number; to: number; count: number }[] {
  return counts
    .map((count, bin) => ({
      from: LOWEST_DECADE + bin / BINS_PER_DECADE,
      to: LOWEST_DECADE + (bin + 1) / BINS_PER_DECADE,
      count,
    }))
    .filter(({ count }) => count > 0)
}
