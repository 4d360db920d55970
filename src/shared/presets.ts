/** Settings that suit a model and an amount of text; the form, the command line and the demo start from them. */
import type { TrainConfig } from './domain'

/** What a suggestion rests on. */
export type PresetInput = {
  modelId: number
  datasetId: number
  dModel: number
  layers: number
  contextSize: number
  /** Size of the text; about four bytes make a token. */
  datasetBytes: number
}

/** Steps of a run: batches until `trainingTokens` are reached, the last one whole. */
export function trainingSteps(config: Pick<TrainConfig, 'trainingTokens' | 'batchTokens'>): number {
  return Math.max(1, Math.ceil(config.trainingTokens / config.batchTokens))
}

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value))
const powerOfTwo = (value: number) => 2 ** Math.round(Math.log2(value))

/**
 * A first run that ends in minutes without a graphics card: eight features per model dimension, the residual stream after the
 * middle block, and a short schedule. The paper's learning rate of 5e-5 and lambda of 5 are meant for 200,000 steps; over a few
 * thousand they leave the dictionary untrained, so the rate is higher and the penalty lower here.
 */
export function presetFor(input: PresetInput): TrainConfig {
  const dSae = clamp(powerOfTwo(8 * input.dModel), 512, 8192)
  const batchTokens = 1024
  const steps = 2000
  return {
    modelId: input.modelId,
    datasetId: input.datasetId,
    hookName: `blocks.${Math.floor((input.layers - 1) / 2)}.hook_resid_post`,
    architecture: 'standard',
    dSae,
    l1Coefficient: 2,
    learningRate: 1e-3,
    batchTokens,
    trainingTokens: steps * batchTokens,
    contextSize: clamp(input.contextSize, 8, 128),
    bufferTokens: 65_536,
    seed: 0,
  }
}
