/** The fields of the new run's form: which of them an architecture shows, and how their text is read and written. */
import { ArchitectureName, type TrainConfig } from '../../../shared/domain'
import { usesSetting } from '../../../shared/training-rules'

/** Fields typed as numbers, named as in TrainConfig. */
export const NUMBER_FIELDS = [
  'dSae',
  'l1Coefficient',
  'l0Coefficient',
  'targetL0',
  'bandwidth',
  'initialThreshold',
  'k',
  'auxCoefficient',
  'auxK',
  'deadTokens',
  'decoderInitNorm',
  'learningRate',
  'batchTokens',
  'trainingTokens',
  'contextSize',
  'bufferTokens',
  'seed',
] as const satisfies readonly (keyof TrainConfig)[]
export type NumberField = (typeof NUMBER_FIELDS)[number]

/** Number fields that may stay empty: something that suits stands for them. */
export const OPTIONAL_FIELDS: readonly NumberField[] = ['targetL0', 'auxK', 'deadTokens']

/** Number fields of single architectures that are always in view, in their order. */
const MAIN_FIELDS = [
  ...(['l1Coefficient', 'l0Coefficient', 'targetL0', 'bandwidth', 'initialThreshold'] as const),
  ...(['k', 'auxCoefficient', 'auxK'] as const),
]

export const ARCHITECTURES: readonly ArchitectureName[] = ArchitectureName.options
export const THRESHOLD_FORMS: readonly TrainConfig['thresholdForm'][] = ['direct', 'log']
export const BIAS_STARTS: readonly NonNullable<TrainConfig['bDecInit']>[] = ['zero', 'mean', 'geometric_median']

/** Number fields of an architecture that are always in view. */
export const mainFieldsOf = (architecture: ArchitectureName) =>
  MAIN_FIELDS.filter((field) => usesSetting(architecture, field))

/** Whether a field is in the form at all, in view or not. */
export function isShown(architecture: ArchitectureName, field: NumberField): boolean {
  const own = [...MAIN_FIELDS, 'decoderInitNorm' as const].find((one) => one === field)
  return own === undefined || usesSetting(architecture, own)
}

/** Number fields before there is a preset; the disclosure opens on problems, so what is inside has none even then. */
export const emptyNumbers = (): Record<NumberField, string> => ({
  ...{ dSae: '', l1Coefficient: '', l0Coefficient: '', targetL0: '', bandwidth: '', initialThreshold: '' },
  ...{ k: '', auxCoefficient: '', auxK: '', deadTokens: '', decoderInitNorm: '0.1' },
  ...{ learningRate: '', batchTokens: '', trainingTokens: '', contextSize: '', bufferTokens: '', seed: '0' },
})

/** A usual value of each field, offered when what was typed does not do. */
export const USUAL: Readonly<Record<NumberField, number>> = {
  ...{ dSae: 512, l1Coefficient: 2, l0Coefficient: 1, targetL0: 32, bandwidth: 0.1, initialThreshold: 0.1 },
  ...{ k: 32, auxCoefficient: 1 / 32, auxK: 64, deadTokens: 1_000_000, decoderInitNorm: 0.1 },
  ...{ learningRate: 0.001, batchTokens: 1024, trainingTokens: 2_048_000 },
  ...{ contextSize: 128, bufferTokens: 65_536, seed: 0 },
}

/** Numbers may be typed with thousands separators; anything else is NaN. */
export function parseNumber(text: string): number {
  const plain = text.trim().replace(/(?<=\d)[,_\s](?=\d{3})/g, '')
  return plain === '' ? NaN : Number(plain)
}

/** Text of a number as the form shows it: separators for large whole numbers, else as written in code. */
export function numberText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) >= 1000 ? value.toLocaleString('en-US') : String(value)
}

/** What a number field says: null when it is left open. */
export const readNumber = (field: NumberField, text: string): number | null =>
  OPTIONAL_FIELDS.includes(field) && text.trim() === '' ? null : parseNumber(text)

/** Widths with commas or spaces between them, so without thousands separators; NaN where one is not a number. */
export const parseWidths = (text: string): number[] =>
  text
    .split(/[\s,;]+/)
    .filter((part) => part !== '')
    .map(Number)

export const widthsText = (widths: readonly number[]): string => widths.join(', ')
