/** The settings that count for the architecture of a run, as names and text. */
import type { TrainConfig } from '../../../shared/domain'
import { deadWindowOf, usesSetting, widthsOf } from '../../../shared/training-rules'
import { mainFieldsOf, numberText, widthsText } from './form-fields'

type Words = { t: (key: string) => string; formatCount: (value: number) => string }

/** Rows for a list: the key of `runs.fields` and the value. What was left open is said as what stands for it, or left out. */
export function ownSettings(config: TrainConfig, { t, formatCount }: Words): (readonly [string, string])[] {
  const { architecture, bDecInit, resampleDead, thresholdForm } = config
  const numbers = mainFieldsOf(architecture).flatMap((field) => {
    const value = config[field]
    return value === null ? [] : [[field, shortNumber(value)] as const]
  })
  const uses = (setting: Parameters<typeof usesSetting>[1]) => usesSetting(architecture, setting)
  return [
    ...numbers,
    ...(uses('thresholdForm') ? [['thresholdForm', t(`runs.thresholdForms.${thresholdForm}`)] as const] : []),
    ...(uses('matryoshkaWidths') ? [['matryoshkaWidths', widthsText(widthsOf(config))] as const] : []),
    ['deadTokens', formatCount(deadWindowOf(config))],
    ...(uses('resampleDead') && resampleDead ? [['resampleDead', t('runs.yes')] as const] : []),
    ...(uses('decoderInitNorm') ? [['decoderInitNorm', String(config.decoderInitNorm)] as const] : []),
    ...(bDecInit === null ? [] : [['bDecInit', t(`runs.biasStarts.${bDecInit}`)] as const]),
  ]
}

/** As the form writes it, with no more digits than it takes to tell apart. */
const shortNumber = (value: number): string => numberText(Number(value.toPrecision(4)))

/** What makes the features few, in a few characters: `λ 2`, `k 32`, or the L0 that is aimed at. */
export function sparsityOf({ architecture, k, l0Coefficient, l1Coefficient, targetL0 }: TrainConfig): string {
  if (usesSetting(architecture, 'k')) return `k ${numberText(k)}`
  if (architecture !== 'jumprelu') return `λ ${numberText(l1Coefficient)}`
  return targetL0 === null ? `λ ${numberText(l0Coefficient)}` : `L0 → ${numberText(targetL0)}`
}
