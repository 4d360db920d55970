/** What a model family brings, and what it is given: one file per family implements these types. */
import type { tf } from '../tf'
import type { LayerCache } from './cache'
import type { BlockHook, HookPass } from './hooks'
import type { Positions } from './positions'

/** What is known of a model from its config and weight headers. */
export type ModelConfig = {
  family: string
  layers: number
  dModel: number
  heads: number
  kvHeads: number
  headDim: number
  vocabulary: number
  /** Positions the model was trained for. */
  contextSize: number
  /** From config.json; a tokenizer's own bosId comes first. */
  bosId: number | null
  /** Hooks that blocks of this model do not have: with parallel residuals there is no `hook_resid_mid`. */
  absentHooks?: readonly BlockHook[]
  /** Length of a text beyond which keys of its first tokens are others, so that a cache of them must be made anew (longrope). */
  cacheBorder?: number
  /** Type of the stored weights: float32, float16 or bfloat16. Arithmetic is always float32. */
  dtype: string
  parameters: number
  /** Bytes of the weight files' tensors. */
  weightBytes: number
}

/** Values a block needs besides its input. */
export type BlockContext = {
  pass: HookPass
  layer: number
  positions: Positions
  cache: LayerCache | null
}

/** What a family file builds from weights. Every function may leave intermediate tensors to the caller's tidy. */
export type FamilyNet = {
  /** [batch, time] ids -> [batch, time, dModel] */
  embed(ids: tf.Tensor2D, positions: Positions): tf.Tensor3D
  /** [batch, time, dModel] -> same; calls `context.pass.visit` at its hooks and returns at once when the pass has stopped. */
  block(x: tf.Tensor3D, context: BlockContext): tf.Tensor3D
  /** [batch, time, dModel] after the last block -> logits [batch, time, vocabulary] */
  unembed(x: tf.Tensor3D): tf.Tensor3D
  /**
   * The linear part of `unembed` for directions of the residual stream [n, dModel] -> [n, vocabulary]: the final norm's factors (and
   * centring) without its division, the head without bias and cap.
   */
  project(directions: tf.Tensor2D): tf.Tensor2D
  dispose(): void
}

/** Weights as tensors under their names without prefix. */
export type LoadedWeights = {
  /** How many blocks, from the first on, are loaded: fewer than the model has where only a hook before the others is wanted. */
  blocks: number
  /** A tensor of rank 1, or of rank 2 in its stored layout. What is taken belongs to the network. */
  vector(name: string): tf.Tensor1D
  matrix(name: string): tf.Tensor2D
  has(name: string): boolean
}

/** Facts of a model that follow from config.json alone. */
export type ConfigFacts = Omit<ModelConfig, 'dtype' | 'parameters' | 'weightBytes'>

/** What a model needs: tensor names without a leading `model.`, and their stored shapes. */
export type TensorShapes = Map<string, number[]>

/** config.json of one model, understood by its family. */
export type FamilyModel = {
  facts: ConfigFacts
  /** @param has whether the files hold a tensor of that name; decides optional tensors */
  shapes(has: (name: string) => boolean): TensorShapes
  /** Builds the network on the open backend. Tensors in `weights` have the stored layout; the family owns them from here on. */
  build(weights: LoadedWeights): FamilyNet
}

/** What a config says of heads cannot be: they do not share the width, or each other's keys, or cannot be rotated. */
export class HeadsError extends Error {}

export type Family = {
  /** Value of `model_type` in config.json. */
  modelType: string
  /** @throws z.ZodError, HeadsError, or Error with a reason, when the config cannot be this family's */
  parse(config: unknown): FamilyModel
}
