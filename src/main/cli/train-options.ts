/** Options of `train` that set what single architectures use: each is checked alone, and refused where the architecture ignores it. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { z } from 'zod'
import { ArchitectureName, TrainConfig } from '../../shared/domain'
import { usesSetting, type OwnSetting } from '../../shared/training-rules'
import { toNumber } from './find'

/** Options as commander hands them over; `SETTING_OF` says what each one sets. */
export type SettingOptions = {
  architecture?: ArchitectureName
  k?: number
  aux?: number
  auxK?: number
  l0?: number
  targetL0?: number
  bandwidth?: number
  threshold?: number
  thresholdForm?: TrainConfig['thresholdForm']
  widths?: number[]
  deadTokens?: number
  resample?: boolean
  decoderNorm?: number
  bDec?: NonNullable<TrainConfig['bDecInit']>
}

type Setting = OwnSetting | 'deadTokens' | 'bDecInit'

const SETTING_OF: Readonly<Record<Exclude<keyof SettingOptions, 'architecture'>, Setting>> = {
  ...{ k: 'k', aux: 'auxCoefficient', auxK: 'auxK', l0: 'l0Coefficient', targetL0: 'targetL0', bandwidth: 'bandwidth' },
  ...{ threshold: 'initialThreshold', thresholdForm: 'thresholdForm', widths: 'matryoshkaWidths' },
  ...{ deadTokens: 'deadTokens', resample: 'resampleDead', decoderNorm: 'decoderInitNorm', bDec: 'bDecInit' },
}

/** Says which values would do. */
function sentenceOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'too_small') return `Give ${issue.inclusive ? 'at least' : 'more than'} ${String(issue.minimum)}.`
  return issue.code === 'too_big' ? `Give at most ${String(issue.maximum)}.` : 'Give a whole number.'
}

/** Reads a number and holds it against the limits of its setting. */
const within =
  (setting: Setting) =>
  (given: string): number => {
    const value = toNumber(given)
    const [issue] = TrainConfig.shape[setting].safeParse(value).error?.issues ?? []
    if (issue) throw new InvalidArgumentError(sentenceOf(issue))
    return value
  }

function toWidths(given: string): number[] {
  const parsed = TrainConfig.shape.matryoshkaWidths.safeParse(given.split(',').map(Number))
  if (parsed.success) return parsed.data
  throw new InvalidArgumentError('Give at most eight whole numbers with commas between them, such as 32,128,512.')
}

const choice = (flags: string, description: string, choices: readonly string[]) =>
  new Option(flags, description).choices(choices)

/** Adds the options to a command. */
export function addSettingOptions(command: Command): Command {
  return command
    .addOption(choice('--architecture <name>', 'kind of autoencoder; standard unless given', ArchitectureName.options))
    .option('--k <features>', 'topk family: active features per token', within('k'))
    .option('--aux <alpha>', 'topk family: weight of the AuxK term; 0 leaves it out', within('auxCoefficient'))
    .option('--aux-k <features>', 'topk family: dead features per token in the AuxK term', within('auxK'))
    .option('--l0 <lambda>', 'jumprelu: weight of the L0 term', within('l0Coefficient'))
    .option('--target-l0 <features>', 'jumprelu: the L0 to hold', within('targetL0'))
    .option('--bandwidth <width>', 'jumprelu: width of the kernel, normalised units', within('bandwidth'))
    .option('--threshold <value>', 'jumprelu: threshold at the start, normalised units', within('initialThreshold'))
    .addOption(choice('--threshold-form <form>', 'jumprelu: what is trained', ['direct', 'log']))
    .option('--widths <list>', 'matryoshka_batchtopk: growing widths up to --d-sae, such as 32,128,512', toWidths)
    .option('--dead-tokens <tokens>', 'a feature silent for so many tokens is dead', within('deadTokens'))
    .option('--resample', 'standard, jumprelu, gated: give dead features a new start')
    .option('--decoder-norm <norm>', 'standard, jumprelu, gated: decoder norm at the start', within('decoderInitNorm'))
    .addOption(choice('--b-dec <start>', 'decoder bias at the start', ['zero', 'mean', 'geometric_median']))
}

/** The settings that options give, by their names in TrainConfig. */
const givenOf = (options: SettingOptions) =>
  Object.entries(SETTING_OF).flatMap(([name, setting]) => {
    const value = Object.entries(options).find(([one]) => one === name)?.[1]
    return value === undefined ? [] : [{ name, setting, value }]
  })

/** Why options do not go with the architecture, in a sentence; null when they do. */
export function unusedOption(options: SettingOptions & { l1?: number }): string | null {
  const { architecture = 'standard', l1 } = options
  const own: { name: string; setting: Setting }[] = givenOf(options)
  if (l1 !== undefined) own.push({ name: 'l1', setting: 'l1Coefficient' })
  const unused = own.find(
    ({ setting }) => setting !== 'deadTokens' && setting !== 'bDecInit' && !usesSetting(architecture, setting),
  )
  if (!unused) return null
  const flag = `--${unused.name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  return `${flag} means nothing to the architecture ${architecture}. Leave it out, or choose another architecture.`
}

/** A config with what the options give laid over it. */
export const withSettings = (config: TrainConfig, options: SettingOptions): TrainConfig =>
  TrainConfig.parse({
    ...config,
    ...Object.fromEntries(givenOf(options).map(({ setting, value }) => [setting, value])),
  })
