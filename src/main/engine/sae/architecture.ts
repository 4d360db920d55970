/** What every architecture offers the trainer and the measurements, written in plain tfjs operations: the twin of the sparse kernels. */
import type { ArchitectureName, TrainConfig } from '../../../shared/training'
import type { tf } from '../tf'
import type { Random } from '../train/random'

export type { ArchitectureName }
export type NamedTensors = Record<string, tf.Tensor>

/** Sizes of a dictionary. */
export type SaeShape = { dIn: number; dSae: number }

/** Weights as plain arrays, the form in which they are made, trained, folded, stored and loaded. */
export type SaeWeights = Record<string, { shape: number[]; data: Float32Array }>

/** What the loss of one step depends on besides parameters and batch. */
export type StepSettings = {
  /** standard, gated: weight of the L1 term at this step; jumprelu: of the L0 term. */
  sparsity: number
  /** jumprelu: the L0 to hold, or null. */
  targetL0: number | null
  bandwidth: number
  thresholdForm: 'direct' | 'log'
  /** topk family. */
  k: number
  auxK: number
  auxCoefficient: number
  /** [dSae] 1 for dead features; null leaves the auxiliary term of the topk family out. */
  deadMask: Uint8Array | null
  /** Sizes of the nested dictionaries, the last one dSae; [dSae] for all but matryoshka_batchtopk. */
  widths: readonly number[]
}

/**
 * The loss of one batch in normalised units; every term sums over dIn or features and averages over tokens, before its weight.
 * `sparsity`: L1 of standard (weighted by decoder norms) and gated (of the gate), L0 of jumprelu or its squared distance to the target.
 * `aux`: AuxK of the topk family, the gate's reconstruction of gated; null where the step has none.
 */
export type LossTerms = { mse: number; sparsity: number; aux: number | null; total: number }

/** Figures of one batch. */
export type BatchFigures = {
  losses: LossTerms
  /** mean_b sum_i f_i ||W_dec[i]||. */
  l1: number
  /** Mean active features per token. */
  l0: number
  /** [dSae] sum of each feature's activations over the batch; above zero where it fired. */
  featureSums: Float32Array
  /** Smallest activation above zero; what batchtopk averages into its threshold. 0 when nothing fired. */
  smallestActive: number
}

/** What one dense pass over a batch gives. Tensors are owned by the caller. */
export type StepResult = BatchFigures & { gradients: NamedTensors }

/** How a dictionary is used: with fixed parameters, on single tokens. */
export type EncodeSettings = {
  k: number
  /** batchtopk and matryoshka_batchtopk: activations at or below this are off. */
  threshold: number
  thresholdForm: 'direct' | 'log'
}

/** A dictionary that acts on raw activations, as it is written to disk. */
export type FinishedSae = {
  /** SAELens name; batchtopk and its relatives become jumprelu. */
  architecture: 'standard' | 'topk' | 'jumprelu' | 'gated'
  weights: SaeWeights
  /** Whether b_dec is subtracted from the input before encoding. */
  shiftsInput: boolean
  /** topk only. */
  k: number | null
}

export type Architecture = {
  /** As SAELens registers it. */
  name: ArchitectureName
  parameterNames: readonly string[]
  /** Whether inputs are encoded as x - b_dec. */
  shiftsInput: boolean
  /** Whether decoder rows are kept at norm 1 after every step. */
  hasUnitDecoder: boolean
  shapes(shape: SaeShape): Record<string, number[]>
  /** Fresh parameters; b_dec is zero. */
  initialise(
    shape: SaeShape,
    config: Pick<TrainConfig, 'decoderInitNorm' | 'initialThreshold' | 'thresholdForm'>,
    random: Random,
  ): SaeWeights
  /** Values before the non-linearity [batch, dSae] of saeIn [batch, dIn] (gated: of the gate); the result is the caller's. */
  hiddenPre(parameters: NamedTensors, saeIn: tf.Tensor): tf.Tensor
  /** saeIn [batch, dIn] to featureActs [batch, dSae] as after training; the result is the caller's. */
  encode(parameters: NamedTensors, saeIn: tf.Tensor, settings: EncodeSettings): tf.Tensor
  /** featureActs [batch, dSae] to saeOut [batch, dIn]; the result is the caller's. */
  decode(parameters: NamedTensors, featureActs: tf.Tensor): tf.Tensor
  /** Loss and gradients of one batch, saeIn [batch, dIn]. */
  step(parameters: NamedTensors, saeIn: tf.Tensor, settings: StepSettings): StepResult
  /** Folds the input scale s, then the decoder norms: the result acts on raw activations with unit decoder rows. */
  finish(weights: SaeWeights, options: { scale: number } & EncodeSettings): FinishedSae
}
