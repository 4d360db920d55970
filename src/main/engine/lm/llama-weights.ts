/** The tensors of the llama family and its relatives: their names, their stored shapes, and the blocks built from them. */
import type { tf } from '../tf'
import type { LoadedWeights, TensorShapes } from './family'
import { Linear } from './linear'
import type { LlamaConfig } from './llama-config'

export const EMBED = 'embed_tokens.weight'
export const HEAD = 'lm_head.weight'
export const FINAL_NORM = 'norm.weight'

const isTied = (config: LlamaConfig, has: (name: string) => boolean) => config.tied ?? !has(HEAD)

/** Every tensor of the model with its stored shape; linear maps are stored [out, in]. */
export function llamaShapes(config: LlamaConfig, has: (name: string) => boolean): TensorShapes {
  const { dModel, dMlp, heads, kvHeads, headDim, vocabulary, mlpBias, variant } = config
  const { inputBias, outputBias } = variant
  const shapes: TensorShapes = new Map([[EMBED, [vocabulary, dModel]]])
  const linear = (name: string, { out, from, bias }: { out: number; from: number; bias: boolean }) => {
    shapes.set(`${name}.weight`, [out, from])
    if (bias) shapes.set(`${name}.bias`, [out])
  }
  for (let layer = 0; layer < config.layers; layer++) {
    const [attention, mlp] = [`layers.${layer}.self_attn`, `layers.${layer}.mlp`]
    shapes.set(`layers.${layer}.input_layernorm.weight`, [dModel])
    shapes.set(`layers.${layer}.post_attention_layernorm.weight`, [dModel])
    linear(`${attention}.q_proj`, { out: heads * headDim, from: dModel, bias: inputBias })
    linear(`${attention}.k_proj`, { out: kvHeads * headDim, from: dModel, bias: inputBias })
    linear(`${attention}.v_proj`, { out: kvHeads * headDim, from: dModel, bias: inputBias })
    linear(`${attention}.o_proj`, { out: dModel, from: heads * headDim, bias: outputBias })
    if (variant.headNorms) for (const name of ['q_norm', 'k_norm']) shapes.set(`${attention}.${name}.weight`, [headDim])
    linear(`${mlp}.gate_proj`, { out: dMlp, from: dModel, bias: mlpBias })
    linear(`${mlp}.up_proj`, { out: dMlp, from: dModel, bias: mlpBias })
    linear(`${mlp}.down_proj`, { out: dModel, from: dMlp, bias: mlpBias })
  }
  shapes.set(FINAL_NORM, [dModel])
  if (!isTied(config, has)) shapes.set(HEAD, [vocabulary, dModel])
  return shapes
}

export type Block = {
  attentionNorm: tf.Tensor1D
  query: Linear
  key: Linear
  value: Linear
  output: Linear
  /** Over each head of queries and keys [headDim]; null in families without. */
  queryNorm: tf.Tensor1D | null
  keyNorm: tf.Tensor1D | null
  mlpNorm: tf.Tensor1D
  gate: Linear
  up: Linear
  down: Linear
}

export function buildBlock(weights: LoadedWeights, layer: number, { variant }: LlamaConfig): Block {
  const linear = (name: string) => new Linear(weights, `layers.${layer}.${name}`)
  const norm = (name: string) => weights.vector(`layers.${layer}.${name}.weight`)
  return {
    attentionNorm: norm('input_layernorm'),
    query: linear('self_attn.q_proj'),
    key: linear('self_attn.k_proj'),
    value: linear('self_attn.v_proj'),
    output: linear('self_attn.o_proj'),
    queryNorm: variant.headNorms ? norm('self_attn.q_norm') : null,
    keyNorm: variant.headNorms ? norm('self_attn.k_norm') : null,
    mlpNorm: norm('post_attention_layernorm'),
    gate: linear('mlp.gate_proj'),
    up: linear('mlp.up_proj'),
    down: linear('mlp.down_proj'),
  }
}
