/** The form of a new run as typed text, and what it means: a checked config, problems by field, and what the run will take. */
import type { z } from 'zod'
import { TrainConfig, type Dataset, type Model } from '../../../shared/domain'
import { trainingSteps } from '../../../shared/presets'

export const HOOK_POINTS = ['hook_resid_pre', 'hook_resid_mid', 'hook_resid_post'] as const
export type HookPoint = (typeof HOOK_POINTS)[number]

/** Fields typed as numbers, named as in TrainConfig. */
export const NUMBER_FIELDS = [
  'dSae',
  'l1Coefficient',
  'learningRate',
  'batchTokens',
  'trainingTokens',
  'contextSize',
  'bufferTokens',
  'seed',
] as const
export type NumberField = (typeof NUMBER_FIELDS)[number]

export type RunForm = Record<NumberField, string> & {
  modelId: number | null
  datasetId: number | null
  layer: number
  point: HookPoint
  name: string
  atlas: boolean
}

/** Why a field does not do, with the limit and a value that does. */
export type Problem =
  | { kind: 'tooSmall' | 'tooBig'; limit: number; works: number }
  | { kind: 'notNumber' | 'notInteger'; works: number }
  | { kind: 'overContext' | 'underBatch' | 'overMemory'; limit: number; works: number }
  | { kind: 'empty' }
export type ProblemField = NumberField | 'name'
export type Problems = Partial<Record<ProblemField, Problem>>

/** Numbers may be typed with thousands separators; anything else is NaN. */
export function parseNumber(text: string): number {
  const plain = text.trim().replace(/(?<=\d)[,_\s](?=\d{3})/g, '')
  return plain === '' ? NaN : Number(plain)
}

/** Text of a number as the form shows it: separators for large whole numbers, else as written in code. */
export function numberText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) >= 1000 ? value.toLocaleString('en-US') : String(value)
}

/** Splits `blocks.3.hook_resid_post`; null for a name of another form. */
export function parseHook(hookName: string): { layer: number; point: HookPoint } | null {
  const match = /^blocks\.(\d+)\.(\w+)$/.exec(hookName)
  const point = HOOK_POINTS.find((one) => one === match?.[2])
  return match && point ? { layer: Number(match[1]), point } : null
}

export const hookOf = (form: Pick<RunForm, 'layer' | 'point'>): string => `blocks.${form.layer}.${form.point}`

/** Fills the form's fields from a config; name and follow-up stay. */
export function fillForm(form: RunForm, config: TrainConfig): void {
  form.modelId = config.modelId
  form.datasetId = config.datasetId
  const hook = parseHook(config.hookName)
  if (hook) Object.assign(form, hook)
  for (const field of NUMBER_FIELDS) form[field] = numberText(config[field])
}

/** A name that says where and how wide: `stories260K-2-post-512`. */
export function suggestName(form: RunForm, modelName: string): string {
  const width = parseNumber(form.dSae)
  return [modelName, form.layer, form.point.replace('hook_resid_', ''), Number.isNaN(width) ? '' : width]
    .filter((part) => part !== '')
    .join('-')
    .slice(0, 200)
}

/** Where the schema sets no bound of its own that can be offered, a usual value. */
const USUAL: Readonly<Record<NumberField, number>> = {
  dSae: 512,
  l1Coefficient: 2,
  learningRate: 0.001,
  batchTokens: 1024,
  trainingTokens: 2_048_000,
  contextSize: 128,
  bufferTokens: 65_536,
  seed: 0,
}

function problemOf(issue: z.core.$ZodIssue, field: NumberField): Problem {
  if (issue.code === 'too_small') {
    const limit = Number(issue.minimum)
    return { kind: 'tooSmall', limit, works: issue.inclusive === false ? USUAL[field] : limit }
  }
  if (issue.code === 'too_big') return { kind: 'tooBig', limit: Number(issue.maximum), works: Number(issue.maximum) }
  const isFraction = issue.code === 'invalid_type' && issue.expected === 'int'
  return { kind: isFraction ? 'notInteger' : 'notNumber', works: USUAL[field] }
}

/** What the model and this computer add to the schema's limits. */
function limitsOf(config: TrainConfig, model: Model, totalMemoryBytes: number | null): Problems {
  const problems: Problems = {}
  if (config.contextSize > model.contextSize)
    problems.contextSize = { kind: 'overContext', limit: model.contextSize, works: model.contextSize }
  if (config.bufferTokens < 2 * config.batchTokens)
    problems.bufferTokens = { kind: 'underBatch', limit: 2 * config.batchTokens, works: 8 * config.batchTokens }
  else if (totalMemoryBytes !== null && bufferBytes(config, model.dModel) > totalMemoryBytes / 2) {
    const works = Math.floor(totalMemoryBytes / 2 / (model.dModel * 4))
    problems.bufferTokens = { kind: 'overMemory', limit: totalMemoryBytes, works }
  }
  return problems
}

export type Checked = { config: TrainConfig | null; problems: Problems }

/** Reads the form. `config` is null while a field has a problem or nothing is chosen. */
export function checkForm(form: RunForm, model: Model | null, totalMemoryBytes: number | null): Checked {
  const numbers = Object.fromEntries(NUMBER_FIELDS.map((field) => [field, parseNumber(form[field])]))
  const parsed = TrainConfig.safeParse({
    ...{ modelId: form.modelId, datasetId: form.datasetId, hookName: hookOf(form) },
    ...numbers,
  })
  const problems: Problems = form.name.trim() === '' ? { name: { kind: 'empty' } } : {}
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const field = NUMBER_FIELDS.find((one) => one === issue.path[0])
      if (field) problems[field] ??= problemOf(issue, field)
    }
  } else if (model) Object.assign(problems, limitsOf(parsed.data, model, totalMemoryBytes))
  const isGood = parsed.success && model !== null && Object.keys(problems).length === 0
  return { config: isGood ? parsed.data : null, problems }
}

const FLOAT_BYTES = 4
/** Bytes of text per token where nothing was counted; the same guess as shared/presets.ts. */
const BYTES_PER_TOKEN = 4

const bufferBytes = (config: TrainConfig, dIn: number) => config.bufferTokens * dIn * FLOAT_BYTES

export type RunCost = {
  steps: number
  /** W_enc, W_dec, b_enc and b_dec with two Adam moments each. */
  saeBytes: number
  bufferBytes: number
  modelBytes: number
  /** A guess from the size of the text. */
  datasetTokens: number
  /** How often the text is read; above 1 it repeats. */
  passes: number
}

/** What a run needs, computed from its config alone. Memory of the steps themselves is not in it. */
export function costOf(config: TrainConfig, model: Model, dataset: Dataset): RunCost {
  const parameters = 2 * model.dModel * config.dSae + config.dSae + model.dModel
  const datasetTokens = Math.max(1, Math.round(dataset.bytes / BYTES_PER_TOKEN))
  return {
    steps: trainingSteps(config),
    saeBytes: parameters * FLOAT_BYTES * 3,
    bufferBytes: bufferBytes(config, model.dModel),
    modelBytes: model.parameters * FLOAT_BYTES,
    datasetTokens,
    passes: config.trainingTokens / datasetTokens,
  }
}
