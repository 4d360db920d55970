/** Turns the settings of a run into what each of its steps needs, and refuses those that cannot work. */
import { AppError } from '../../../shared/errors'
import type { TrainConfig } from '../../../shared/training'
import type { EncodeSettings, SaeShape, StepSettings } from '../sae/architecture'
import { warmUpAt } from './schedules'

/** Shares of dSae that the nested dictionaries have unless said otherwise. */
const MATRYOSHKA_PARTS = [16, 4, 1]
/** A feature is dead when silent for this many tokens ("Scaling Monosemanticity"), or for a fifth of a shorter run. */
const DEAD_TOKENS = 1e7
const DEAD_SHARE = 0.2

const K_ARCHITECTURES: readonly string[] = ['topk', 'batchtopk', 'matryoshka_batchtopk']

/** Whether a fixed k decides how many features are active. */
export const hasFixedK = ({ architecture }: Pick<TrainConfig, 'architecture'>): boolean =>
  K_ARCHITECTURES.includes(architecture)

/** Sizes of the nested dictionaries; one for architectures that have no nesting. */
export function widthsOf({ architecture, matryoshkaWidths, dSae }: TrainerConfig): number[] {
  if (architecture !== 'matryoshka_batchtopk') return [dSae]
  if (matryoshkaWidths.length > 0) return matryoshkaWidths
  return [...new Set(MATRYOSHKA_PARTS.map((part) => Math.ceil(dSae / part)))]
}

/** What the trainer needs of a run's settings. */
export type TrainerConfig = Omit<
  TrainConfig,
  'modelId' | 'datasetId' | 'activationsId' | 'hookName' | 'contextSize' | 'bufferTokens'
>

/** @throws AppError k-too-large, widths-invalid */
export function requirePossible(config: TrainerConfig): void {
  const { k, dSae } = config
  if (!hasFixedK(config)) return
  if (k > dSae) throw new AppError('k-too-large', { k, dSae })
  const widths = widthsOf(config)
  const grows = widths.every((width, at) => at === 0 || width > (widths[at - 1] ?? 0))
  if (!grows || widths.at(-1) !== dSae) throw new AppError('widths-invalid', { widths: widths.join(', '), dSae })
}

/** Tokens after which a silent feature counts as dead. */
export function deadWindowOf({ deadTokens, trainingTokens }: TrainerConfig): number {
  return deadTokens ?? Math.min(DEAD_TOKENS, Math.ceil(DEAD_SHARE * trainingTokens))
}

/** Features that reconstruct the error: as many as asked for, or half the width of the input. */
const auxKOf = ({ auxK, dSae }: TrainerConfig, dIn: number) => Math.min(auxK ?? Math.max(1, dIn >> 1), dSae)

/** @param deadMask see StepSettings */
export function stepSettings(
  config: TrainerConfig,
  { dIn }: Pick<SaeShape, 'dIn'>,
  { step, steps, deadMask }: { step: number; steps: number; deadMask: Uint8Array | null },
): StepSettings {
  const { architecture, l0Coefficient, l1Coefficient, targetL0, bandwidth, thresholdForm, k, auxCoefficient } = config
  const full = architecture === 'jumprelu' ? l0Coefficient : l1Coefficient
  return {
    sparsity: hasFixedK(config) ? 0 : full * warmUpAt(step, steps),
    targetL0: architecture === 'jumprelu' ? targetL0 : null,
    ...{ bandwidth, thresholdForm, k, auxCoefficient },
    auxK: auxKOf(config, dIn),
    deadMask: hasFixedK(config) && auxCoefficient > 0 ? deadMask : null,
    widths: widthsOf(config),
  }
}

export const encodeSettings = ({ k, thresholdForm }: TrainerConfig, threshold: number): EncodeSettings => ({
  ...{ k, thresholdForm, threshold },
})
