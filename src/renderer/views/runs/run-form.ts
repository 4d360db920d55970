/** The form of a new run as typed text, and what it means: a checked config, problems by field, and what the run will take. */
import type { z } from 'zod'
import { TrainConfig, type ArchitectureName, type Dataset, type Model } from '../../../shared/domain'
import { trainingSteps } from '../../../shared/presets'
import { areNested, usesSetting, widthsOf } from '../../../shared/training-rules'
import {
  isShown,
  mainFieldsOf,
  NUMBER_FIELDS,
  numberText,
  parseNumber,
  parseWidths,
  readNumber,
  USUAL,
  widthsText,
  type NumberField,
} from './form-fields'

export const HOOK_POINTS = ['hook_resid_pre', 'hook_resid_mid', 'hook_resid_post'] as const
export type HookPoint = (typeof HOOK_POINTS)[number]

export type RunForm = Record<NumberField, string> &
  Pick<TrainConfig, 'architecture' | 'thresholdForm' | 'resampleDead' | 'bDecInit' | 'activationsId'> & {
    modelId: number | null
    datasetId: number | null
    layer: number
    point: HookPoint
    /** Widths with commas between them; empty for the usual ones. */
    matryoshkaWidths: string
    name: string
    atlas: boolean
  }

const FLOAT_BYTES = 4

/** Why a field does not do, with the limit and a value that does. */
export type Problem =
  | { kind: 'tooSmall' | 'tooBig'; limit: number; works: number }
  | { kind: 'notNumber' | 'notInteger'; works: number }
  | { kind: 'overContext' | 'underBatch' | 'overMemory' | 'overWidth'; limit: number; works: number }
  | { kind: 'widths'; limit: number; works: string }
  | { kind: 'empty' }
export type ProblemField = NumberField | 'matryoshkaWidths' | 'name'
export type Problems = Partial<Record<ProblemField, Problem>>

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
  const { modelId, datasetId, activationsId, architecture, thresholdForm, resampleDead, bDecInit } = config
  Object.assign(form, { modelId, datasetId, activationsId, architecture, thresholdForm, resampleDead, bDecInit })
  const hook = parseHook(config.hookName)
  if (hook) Object.assign(form, hook)
  form.matryoshkaWidths = widthsText(config.matryoshkaWidths)
  fillNumbers(form, config, NUMBER_FIELDS)
}

/** Fills what only the chosen architecture uses from a config that suits it. */
export function fillOwnFields(form: RunForm, config: TrainConfig): void {
  fillNumbers(form, config, mainFieldsOf(form.architecture))
  form.thresholdForm = config.thresholdForm
  form.matryoshkaWidths = widthsText(config.matryoshkaWidths)
}

function fillNumbers(form: RunForm, config: TrainConfig, fields: readonly NumberField[]): void {
  for (const field of fields) {
    const value = config[field]
    form[field] = value === null ? '' : numberText(value)
  }
}

/** A name that says where, how wide and, when it is not the paper's, what: `stories260K-2-post-512-topk`. */
export function suggestName(form: RunForm, modelName: string): string {
  const width = parseNumber(form.dSae)
  const kind = form.architecture === 'standard' ? '' : form.architecture.replace('_batchtopk', '')
  return [modelName, form.layer, form.point.replace('hook_resid_', ''), Number.isNaN(width) ? '' : width, kind]
    .filter((part) => part !== '')
    .join('-')
    .slice(0, 200)
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

type Numbers = Record<NumberField, number | null>

/** What the model and this computer add to the schema's limits. */
function limitsOf(numbers: Numbers, model: Model, totalMemoryBytes: number | null): Problems {
  const problems: Problems = {}
  const [context, buffer, batch] = [numbers.contextSize ?? NaN, numbers.bufferTokens ?? NaN, numbers.batchTokens ?? NaN]
  if (context > model.contextSize)
    problems.contextSize = { kind: 'overContext', limit: model.contextSize, works: model.contextSize }
  const mostTokens = Math.floor((totalMemoryBytes ?? Infinity) / 2 / (model.dModel * FLOAT_BYTES))
  if (buffer < 2 * batch) problems.bufferTokens = { kind: 'underBatch', limit: 2 * batch, works: 8 * batch }
  else if (totalMemoryBytes !== null && buffer > mostTokens)
    problems.bufferTokens = { kind: 'overMemory', limit: totalMemoryBytes, works: mostTokens }
  return problems
}

/** What the width of the dictionary adds. */
function widthLimitsOf(form: RunForm, numbers: Numbers): Problems {
  const problems: Problems = {}
  const { architecture } = form
  const dSae = numbers.dSae ?? NaN
  for (const field of ['k', 'auxK', 'targetL0'] as const) {
    const works = Math.min(USUAL[field], dSae)
    if ((numbers[field] ?? 0) > dSae && isShown(architecture, field))
      problems[field] = { kind: 'overWidth', limit: dSae, works }
  }
  const asked = parseWidths(form.matryoshkaWidths)
  // A width that does not do itself is said at its own field.
  if (!TrainConfig.shape.dSae.safeParse(dSae).success || !usesSetting(architecture, 'matryoshkaWidths')) return problems
  const isGood = TrainConfig.shape.matryoshkaWidths.safeParse(asked).success
  if (asked.length > 0 && !(isGood && areNested(asked, dSae))) {
    const works = widthsText(widthsOf({ architecture, dSae, matryoshkaWidths: [] }))
    problems.matryoshkaWidths = { kind: 'widths', limit: dSae, works }
  }
  return problems
}

/** What the number fields say; one that the architecture does not use may hold anything, and then counts as a usual value. */
function readNumbers(form: RunForm): Numbers {
  const numbers: Numbers = { ...USUAL }
  for (const field of NUMBER_FIELDS) {
    const value = readNumber(field, form[field])
    const isUsable = isShown(form.architecture, field) || TrainConfig.shape[field].safeParse(value).success
    if (isUsable) numbers[field] = value
  }
  return numbers
}

/** Nested widths to use: what an architecture without them has in its field is of no account. */
function readWidths({ architecture, matryoshkaWidths }: RunForm): number[] {
  const widths = parseWidths(matryoshkaWidths)
  const isUsable = usesSetting(architecture, 'matryoshkaWidths') || !widths.some(Number.isNaN)
  return isUsable ? widths : []
}

export type Checked = { config: TrainConfig | null; problems: Problems }

/** Reads the form. `config` is null while a field has a problem or nothing is chosen. */
export function checkForm(form: RunForm, model: Model | null, totalMemoryBytes: number | null): Checked {
  const { architecture, thresholdForm, bDecInit, modelId, datasetId, activationsId } = form
  const numbers = readNumbers(form)
  const parsed = TrainConfig.safeParse({
    ...{ modelId, datasetId, activationsId, architecture, thresholdForm, bDecInit },
    hookName: hookOf(form),
    resampleDead: form.resampleDead && usesSetting(architecture, 'resampleDead'),
    matryoshkaWidths: readWidths(form),
    ...numbers,
  })
  // The limits of this model, computer and dictionary are the nearer ones, so they are said first.
  const problems: Problems = {
    ...(model ? limitsOf(numbers, model, totalMemoryBytes) : {}),
    ...widthLimitsOf(form, numbers),
  }
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
  /** All parameters with two Adam moments each. */
  saeBytes: number
  bufferBytes: number
  modelBytes: number
  /** A guess from the size of the text. */
  datasetTokens: number
  /** How often the text is read; above 1 it repeats. */
  passes: number
}

/** Numbers per feature besides its directions: biases, scales, thresholds. */
const PER_FEATURE: Partial<Record<ArchitectureName, number>> = { gated: 3, jumprelu: 2 }

/** What a run needs, computed from its config alone. Memory of the steps themselves is not in it. */
export function costOf(config: TrainConfig, model: Model, dataset: Dataset): RunCost {
  const parameters =
    2 * model.dModel * config.dSae + (PER_FEATURE[config.architecture] ?? 1) * config.dSae + model.dModel
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
