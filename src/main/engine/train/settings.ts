/** Turns the settings of a run into what each of its steps needs. What settings mean together is in shared/training-rules.ts. */
import type { TrainConfig } from '../../../shared/training'
import { auxKOf, hasFixedK, widthsOf } from '../../../shared/training-rules'
import type { EncodeSettings, SaeShape, StepSettings } from '../sae/architecture'
import { warmUpAt } from './schedules'

export { deadWindowOf, hasFixedK, requirePossible, widthsOf } from '../../../shared/training-rules'

/** What the trainer needs of a run's settings. */
export type TrainerConfig = Omit<
  TrainConfig,
  'modelId' | 'datasetId' | 'activationsId' | 'hookName' | 'contextSize' | 'bufferTokens'
>

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
