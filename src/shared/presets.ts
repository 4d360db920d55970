/** Settings that suit a model and an amount of text; the form, the command line and the demo start from them. */
import { TrainConfig } from './training'
import type { ArchitectureName } from './training'

/** What a suggestion rests on. */
export type PresetInput = {
  modelId: number
  datasetId: number
  dModel: number
  layers: number
  contextSize: number
  /** Size of the text; about four bytes make a token. */
  datasetBytes: number
  /** The paper's unless said otherwise. */
  architecture?: ArchitectureName
}

/** Beyond so many passes over the same text a dictionary learns its accidents. */
const MOST_PASSES = 40
const BYTES_PER_TOKEN = 4

/** Steps of a run: batches until `trainingTokens` are reached, the last one whole. */
export function trainingSteps(config: Pick<TrainConfig, 'trainingTokens' | 'batchTokens'>): number {
  return Math.max(1, Math.ceil(config.trainingTokens / config.batchTokens))
}

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value))
const powerOfTwo = (value: number) => 2 ** Math.round(Math.log2(value))

/**
 * A first run that ends in minutes without a graphics card: eight features per model dimension, the residual stream after the
 * middle block, and a short schedule. The paper's learning rate of 5e-5 and lambda of 5 are meant for 200,000 steps; over one or two
 * thousand they leave the dictionary untrained. So the rate is far higher, falling with the square root of the dictionary's width.
 * Small texts get small batches and fewer steps.
 */
export function presetFor(input: PresetInput): TrainConfig {
  const dSae = clamp(powerOfTwo(8 * input.dModel), 512, 8192)
  const datasetTokens = input.datasetBytes / BYTES_PER_TOKEN
  const batchTokens = clamp(powerOfTwo(datasetTokens / 16), 64, 1024)
  const steps = clamp(Math.floor((MOST_PASSES * datasetTokens) / batchTokens), 200, 1200)
  return TrainConfig.parse({
    modelId: input.modelId,
    datasetId: input.datasetId,
    hookName: `blocks.${Math.floor((input.layers - 1) / 2)}.hook_resid_post`,
    architecture: input.architecture ?? 'standard',
    dSae,
    ...sparsityFor(input),
    learningRate: Number((3e-3 * Math.sqrt(512 / dSae)).toPrecision(2)),
    batchTokens,
    trainingTokens: steps * batchTokens,
    contextSize: clamp(input.contextSize, 8, 128),
    bufferTokens: 65_536,
    seed: 0,
  })
}

/**
 * The small training of the demo: a batchtopk that shows its curves within a minute or two on two cores. Fewer features and fewer steps
 * than the preset for the same model, everything else is the preset's.
 */
export function demoConfig({ model, dataset }: { model: DemoModel; dataset: DemoText }): TrainConfig {
  const { id: modelId, dModel, layers, contextSize } = model
  const input = { modelId, datasetId: dataset.id, dModel, layers, contextSize, datasetBytes: dataset.bytes }
  const config = presetFor({ ...input, architecture: 'batchtopk' })
  return { ...config, ...DEMO_SIZE, trainingTokens: DEMO_STEPS * config.batchTokens }
}

type DemoModel = { id: number; dModel: number; layers: number; contextSize: number }
type DemoText = { id: number; bytes: number }
const DEMO_SIZE = { dSae: 1024, k: 24 }
const DEMO_STEPS = 600

/**
 * Settings that decide how many features are active. lambda of the L1 term starts at 1 for a width of 64 and grows with the square root of
 * the model's (the error, not the penalty, sums over its dimensions); the L0 term costs the same per feature whatever its size, so its
 * lambda grows with the width itself. On the small stories model 0.2 and, for the gate's own activations, twice the lambda of the paper
 * came near its L0. k is 32 from a width of 256 on, as in most published dictionaries, and an eighth of the width below. The start of
 * a threshold and the bandwidth are the size that hiddenPre has at the start, when encoder columns have norm 0.1 and a dimension a mean
 * square of 1, so the same ones serve every width.
 */
function sparsityFor({ dModel, architecture }: PresetInput) {
  const lambda = clamp(Math.sqrt(dModel / 64), 1, 5)
  return {
    l1Coefficient: Number(((architecture === 'gated' ? 2 : 1) * lambda).toPrecision(2)),
    l0Coefficient: Number((0.2 * lambda ** 2).toPrecision(2)),
    ...{ bandwidth: 0.1, initialThreshold: 0.1 },
    k: clamp(Math.round(dModel / 8), 4, 32),
  }
}
