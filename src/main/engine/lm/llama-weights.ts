/** The tensors of the llama family and its relatives: their names, their stored shapes, and the blocks built from them. */
import { tf } from '../tf'
import type { LoadedWeights, TensorShapes } from './family'
import { Linear } from './linear'
import type { LlamaConfig } from './llama-config'

export const EMBED = 'embed_tokens.weight'
export const HEAD = 'lm_head.weight'
export const FINAL_NORM = 'norm.weight'

const isTied = (config: LlamaConfig, has: (name: string) => boolean) => config.tied ?? !has(HEAD)

/** Names of a block's norms of the residual stream. Gemma 2 has two more than Llama, and gives one name another meaning. */
function normNames({ outputNorms }: LlamaConfig['variant']) {
  if (!outputNorms) return { attention: 'input_layernorm', mlp: 'post_attention_layernorm' }
  return {
    attention: 'input_layernorm',
    attentionOut: 'post_attention_layernorm',
    mlp: 'pre_feedforward_layernorm',
    mlpOut: 'post_feedforward_layernorm',
  }
}

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
    for (const name of Object.values(normNames(variant))) shapes.set(`layers.${layer}.${name}.weight`, [dModel])
    if (variant.fusedMaps) {
      linear(`${attention}.qkv_proj`, { out: (heads + 2 * kvHeads) * headDim, from: dModel, bias: false })
      linear(`${mlp}.gate_up_proj`, { out: 2 * dMlp, from: dModel, bias: false })
    } else {
      linear(`${attention}.q_proj`, { out: heads * headDim, from: dModel, bias: inputBias })
      linear(`${attention}.k_proj`, { out: kvHeads * headDim, from: dModel, bias: inputBias })
      linear(`${attention}.v_proj`, { out: kvHeads * headDim, from: dModel, bias: inputBias })
      linear(`${mlp}.gate_proj`, { out: dMlp, from: dModel, bias: mlpBias })
      linear(`${mlp}.up_proj`, { out: dMlp, from: dModel, bias: mlpBias })
    }
    linear(`${attention}.o_proj`, { out: dModel, from: heads * headDim, bias: outputBias })
    if (variant.headNorms) for (const name of ['q_norm', 'k_norm']) shapes.set(`${attention}.${name}.weight`, [headDim])
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
  /** Of what attention and MLP add; null in families without. */
  attentionOutNorm: tf.Tensor1D | null
  mlpNorm: tf.Tensor1D
  mlpOutNorm: tf.Tensor1D | null
  gate: Linear
  up: Linear
  down: Linear
}

/** The factors of a norm: its weight, or 1 + weight where the family stores the difference from 1. */
export function normFactors(weights: LoadedWeights, name: string, { onePlusNorms }: LlamaConfig['variant']) {
  const stored = weights.vector(name)
  if (!onePlusNorms) return stored
  const factors = tf.keep(tf.add<tf.Tensor1D>(stored, 1))
  stored.dispose()
  return factors
}

/** One map of several, stored as one. */
type FusedPart = { fused: string; first: number; rows: number; isLast: boolean }

/** Where the rows of the maps of a block are within the fused maps of Phi-3. */
function fusedParts({ heads, kvHeads, headDim, dMlp }: LlamaConfig): Map<string, FusedPart> {
  const [queries, keys] = [heads * headDim, kvHeads * headDim]
  const [attention, mlp] = ['self_attn.qkv_proj', 'mlp.gate_up_proj']
  return new Map([
    ['self_attn.q_proj', { fused: attention, first: 0, rows: queries, isLast: false }],
    ['self_attn.k_proj', { fused: attention, first: queries, rows: keys, isLast: false }],
    ['self_attn.v_proj', { fused: attention, first: queries + keys, rows: keys, isLast: true }],
    ['mlp.gate_proj', { fused: mlp, first: 0, rows: dMlp, isLast: false }],
    ['mlp.up_proj', { fused: mlp, first: dMlp, rows: dMlp, isLast: true }],
  ])
}

/** Weights of a block with fused maps as if each map were stored by itself; the parts of a map are taken in their order, once. */
function unfused(weights: LoadedWeights, layer: number, config: LlamaConfig): LoadedWeights {
  const prefix = `layers.${layer}.`
  const parts = fusedParts(config)
  return {
    ...weights,
    matrix: (name) => {
      const part = parts.get(name.slice(prefix.length).replace(/\.weight$/, ''))
      if (!part) return weights.matrix(name)
      const fused = weights.matrix(`${prefix}${part.fused}.weight`)
      const rows = tf.keep(tf.slice(fused, [part.first, 0], [part.rows, fused.shape[1]]))
      if (part.isLast) fused.dispose()
      return rows
    },
  }
}

export function buildBlock(stored: LoadedWeights, layer: number, config: LlamaConfig): Block {
  const { variant } = config
  const weights = variant.fusedMaps ? unfused(stored, layer, config) : stored
  const linear = (name: string) => new Linear(weights, `layers.${layer}.${name}`)
  const norm = (name: string) => normFactors(weights, `layers.${layer}.${name}.weight`, variant)
  const names = normNames(variant)
  return {
    attentionNorm: norm(names.attention),
    query: linear('self_attn.q_proj'),
    key: linear('self_attn.k_proj'),
    value: linear('self_attn.v_proj'),
    output: linear('self_attn.o_proj'),
    queryNorm: variant.headNorms ? norm('self_attn.q_norm') : null,
    keyNorm: variant.headNorms ? norm('self_attn.k_norm') : null,
    attentionOutNorm: names.attentionOut ? norm(names.attentionOut) : null,
    mlpNorm: norm(names.mlp),
    mlpOutNorm: names.mlpOut ? norm(names.mlpOut) : null,
    gate: linear('mlp.gate_proj'),
    up: linear('mlp.up_proj'),
    down: linear('mlp.down_proj'),
  }
}
