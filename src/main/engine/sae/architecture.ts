/** What every architecture offers the trainer and the measurements. */
import type { TrainConfig } from '../../../shared/domain'
import type { tf } from '../tf'
import type { Random } from '../train/random'

export type NamedTensors = Record<string, tf.Tensor>
export type ArchitectureName = TrainConfig['architecture']

/** Sizes of a dictionary. */
export type SaeShape = { dIn: number; dSae: number }

/** The loss of one batch in normalised units; `mse` sums over dIn and averages over tokens. */
export type LossTerms = { mse: number; l1: number; total: number }

/** What one pass over a batch gives the trainer. Tensors are owned by the caller. */
export type StepResult = {
  gradients: NamedTensors
  losses: LossTerms
  /** [dSae] sum of each feature's activations over the batch; above zero where it fired. */
  featureSums: Float32Array
  /** Mean active features per token; null unless asked for, since counting costs a pass over [batch, dSae]. */
  l0: number | null
}

/** Weights as plain arrays, the form in which they are folded, stored and loaded. Names are those of `Architecture.parameterNames`. */
export type SaeWeights = Record<string, { shape: number[]; data: Float32Array }>

export type Architecture = {
  /** As SAELens registers it. */
  name: ArchitectureName
  parameterNames: readonly string[]
  shapes(shape: SaeShape): Record<string, number[]>
  /** Fresh parameters, owned by the caller. */
  initialise(shape: SaeShape, random: Random): NamedTensors
  /** saeIn [batch, dIn] to featureActs [batch, dSae]; the result is the caller's. */
  encode(parameters: NamedTensors, saeIn: tf.Tensor): tf.Tensor
  /** featureActs [batch, dSae] to saeOut [batch, dIn]; the result is the caller's. */
  decode(parameters: NamedTensors, featureActs: tf.Tensor): tf.Tensor
  /** Loss and gradients of one batch. */
  step(parameters: NamedTensors, saeIn: tf.Tensor, options: { l1Coefficient: number; countActive: boolean }): StepResult
  /** Folds the input scale s and then the decoder norms, so that the result acts on raw activations with unit decoder rows. */
  fold(weights: SaeWeights, scale: number): SaeWeights
}
