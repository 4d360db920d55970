/** What the settings of a training mean together: which of them an architecture uses, what stands for those left open, what cannot work. */
import { AppError } from './errors'
import type { ArchitectureName, TrainConfig } from './training'

/** Shares of dSae that the nested dictionaries have unless said otherwise. */
const MATRYOSHKA_PARTS = [16, 4, 1]
/** A feature is dead when silent for this many tokens ("Scaling Monosemanticity"), or for a fifth of a shorter run. */
const DEAD_TOKENS = 1e7
const DEAD_SHARE = 0.2

/** Settings that only some architectures use. */
export type OwnSetting =
  | 'l1Coefficient'
  | 'l0Coefficient'
  | 'targetL0'
  | 'bandwidth'
  | 'initialThreshold'
  | 'thresholdForm'
  | 'k'
  | 'auxCoefficient'
  | 'auxK'
  | 'matryoshkaWidths'
  | 'resampleDead'
  | 'decoderInitNorm'

const PENALISED = ['l1Coefficient', 'resampleDead', 'decoderInitNorm'] as const
const FIXED_K = ['k', 'auxCoefficient', 'auxK'] as const

const OWN_SETTINGS: Readonly<Record<ArchitectureName, readonly OwnSetting[]>> = {
  standard: PENALISED,
  gated: PENALISED,
  jumprelu: [
    ...(['l0Coefficient', 'targetL0', 'bandwidth', 'initialThreshold', 'thresholdForm'] as const),
    ...(['resampleDead', 'decoderInitNorm'] as const),
  ],
  topk: FIXED_K,
  batchtopk: FIXED_K,
  matryoshka_batchtopk: [...FIXED_K, 'matryoshkaWidths'],
}

/** Whether the loss of an architecture, its start or its care for dead features depends on a setting. */
export const usesSetting = (architecture: ArchitectureName, setting: OwnSetting): boolean =>
  OWN_SETTINGS[architecture].includes(setting)

/** Whether a fixed k decides how many features are active. */
export const hasFixedK = ({ architecture }: Pick<TrainConfig, 'architecture'>): boolean =>
  usesSetting(architecture, 'k')

/** Whether training finds the threshold that the autoencoder is used with: the kinds that choose in a whole batch have none to begin with. */
export const findsThreshold = (architecture: ArchitectureName): boolean =>
  architecture === 'batchtopk' || architecture === 'matryoshka_batchtopk'

type Sizes = Pick<TrainConfig, 'architecture' | 'matryoshkaWidths' | 'dSae'>

/** Sizes of the nested dictionaries; one for architectures that have no nesting. */
export function widthsOf({ architecture, matryoshkaWidths, dSae }: Sizes): number[] {
  if (architecture !== 'matryoshka_batchtopk') return [dSae]
  if (matryoshkaWidths.length > 0) return matryoshkaWidths
  return [...new Set(MATRYOSHKA_PARTS.map((part) => Math.ceil(dSae / part)))]
}

/** Tokens after which a silent feature counts as dead. */
export const deadWindowOf = ({
  deadTokens,
  trainingTokens,
}: Pick<TrainConfig, 'deadTokens' | 'trainingTokens'>): number =>
  deadTokens ?? Math.min(DEAD_TOKENS, Math.ceil(DEAD_SHARE * trainingTokens))

/** Dead features per token in the AuxK term: as many as asked for, or half the width of the input. */
export const auxKOf = ({ auxK, dSae }: Pick<TrainConfig, 'auxK' | 'dSae'>, dIn: number): number =>
  Math.min(auxK ?? Math.max(1, dIn >> 1), dSae)

/** Whether nested dictionaries grow up to the whole one. */
export function areNested(widths: readonly number[], dSae: number): boolean {
  return widths.every((width, at) => at === 0 || width > (widths[at - 1] ?? 0)) && widths.at(-1) === dSae
}

/** @throws AppError k-too-large, widths-invalid */
export function requirePossible(config: Sizes & Pick<TrainConfig, 'k'>): void {
  const { k, dSae } = config
  if (!hasFixedK(config)) return
  if (k > dSae) throw new AppError('k-too-large', { k, dSae })
  const widths = widthsOf(config)
  if (!areNested(widths, dSae)) throw new AppError('widths-invalid', { widths: widths.join(', '), dSae })
}
