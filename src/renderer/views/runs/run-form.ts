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

const FLOAT_BYTES = 4

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

/** Points of a block that a model has, in the order a forward pass reaches them; all of them while no model is chosen. */
export const pointsOf = (model: Pick<Model, 'absentHooks'> | null): readonly HookPoint[] =>
  HOOK_POINTS.filter((point) => !model?.absentHooks.includes(point))

/** Moves to the end of the block when the model does not have the chosen point. */
export function fitPoint(form: RunForm, model: Pick<Model, 'absentHooks'>): void {
  if (!pointsOf(model).includes(form.point)) form.point = 'hook_resid_post'
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

/** A usual value of each field, offered when what was typed does not do. */
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
    return { kind: 'tooSmall', limit, works: USUAL[field] }
  }
  if (issue.code === 'too_big') return { kind: 'tooBig', limit: Number(issue.maximum), works: Number(issue.maximum) }
  const isFraction = issue.code === 'invalid_type' && issue.expected === 'int'
  return { kind: isFraction ? 'notInteger' : 'notNumber', works: USUAL[field] }
}

/** What the model and this computer add to the schema's limits. */
function limitsOf(numbers: Record<NumberField, number>, model: Model, totalMemoryBytes: number | null): Problems {
  const problems: Problems = {}
  const { contextSize, bufferTokens, batchTokens } = numbers
  if (contextSize > model.contextSize)
    problems.contextSize = { kind: 'overContext', limit: model.contextSize, works: model.contextSize }
  const mostTokens = Math.floor((totalMemoryBytes ?? Infinity) / 2 / (model.dModel * FLOAT_BYTES))
  if (bufferTokens < 2 * batchTokens)
    problems.bufferTokens = { kind: 'underBatch', limit: 2 * batchTokens, works: 8 * batchTokens }
  else if (totalMemoryBytes !== null && bufferTokens > mostTokens)
    problems.bufferTokens = { kind: 'overMemory', limit: totalMemoryBytes, works: mostTokens }
  return problems
}

export type Checked = { config: TrainConfig | null; problems: Problems }

/** Reads the form. `config` is null while a field has a problem or nothing is chosen. */
export function checkForm(form: RunForm, model: Model | null, totalMemoryBytes: number | null): Checked {
  const numbers = { ...USUAL }
  for (const field of NUMBER_FIELDS) numbers[field] = parseNumber(form[field])
  const parsed = TrainConfig.safeParse({
    modelId: form.modelId,
    datasetId: form.datasetId,
    hookName: hookOf(form),
    ...numbers,
  })
  // The limits of this model and computer are the nearer ones, so they are said first.
  const problems: Problems = model ? limitsOf(numbers, model, totalMemoryBytes) : {}
  if (form.name.trim() === '') problems.name = { kind: 'empty' }
  for (const issue of parsed.error?.issues ?? []) {
    const field = NUMBER_FIELDS.find((one) => one === issue.path[0])
    if (field) problems[field] ??= problemOf(issue, field)
  }
  const hasPoint = model !== null && pointsOf(model).includes(form.point)
  const isGood = parsed.success && hasPoint && Object.keys(problems).length === 0
  return { config: isGood ? parsed.data : null, problems }
}

/** Bytes of text per token where nothing was counted; the same guess as shared/presets.ts. */
const BYTES_PER_TOKEN = 4

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
    bufferBytes: config.bufferTokens * model.dModel * FLOAT_BYTES,
    modelBytes: model.memoryBytes,
    datasetTokens,
    passes: config.trainingTokens / datasetTokens,
  }
}
