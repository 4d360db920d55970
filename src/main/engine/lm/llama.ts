/** The llama family: RMSNorm, rotary positions, grouped queries, SwiGLU (Touvron et al. 2023; Llama 3 rope scaling). */
import { tf } from '../tf'
import { attend, headsFirst } from './attention'
import type { BlockContext, Family, FamilyNet, LoadedWeights, TensorShapes } from './family'
import { blockHook } from './hooks'
import { Linear } from './linear'
import { parseLlamaConfig } from './llama-config'
import type { LlamaConfig } from './llama-config'
import { rmsNorm } from './norms'
import { Rotary } from './rotary'

const EMBED = 'embed_tokens.weight'
const HEAD = 'lm_head.weight'
const FINAL_NORM = 'norm.weight'

const isTied = (config: LlamaConfig, has: (name: string) => boolean) => config.tied ?? !has(HEAD)

/** Every tensor of the model with its stored shape; linear maps are stored [out, in]. */
function llamaShapes(config: LlamaConfig, has: (name: string) => boolean): TensorShapes {
  const { dModel, dMlp, heads, kvHeads, headDim, vocabulary } = config
  const shapes: TensorShapes = new Map([[EMBED, [vocabulary, dModel]]])
  const linear = (name: string, { out, from, bias }: { out: number; from: number; bias: boolean }) => {
    shapes.set(`${name}.weight`, [out, from])
    if (bias) shapes.set(`${name}.bias`, [out])
  }
  for (let layer = 0; layer < config.layers; layer++) {
    const [attention, mlp] = [`layers.${layer}.self_attn`, `layers.${layer}.mlp`]
    shapes.set(`layers.${layer}.input_layernorm.weight`, [dModel])
    linear(`${attention}.q_proj`, { out: heads * headDim, from: dModel, bias: config.attentionBias })
    linear(`${attention}.k_proj`, { out: kvHeads * headDim, from: dModel, bias: config.attentionBias })
    linear(`${attention}.v_proj`, { out: kvHeads * headDim, from: dModel, bias: config.attentionBias })
    linear(`${attention}.o_proj`, { out: dModel, from: heads * headDim, bias: config.attentionBias })
    shapes.set(`layers.${layer}.post_attention_layernorm.weight`, [dModel])
    linear(`${mlp}.gate_proj`, { out: dMlp, from: dModel, bias: config.mlpBias })
    linear(`${mlp}.up_proj`, { out: dMlp, from: dModel, bias: config.mlpBias })
    linear(`${mlp}.down_proj`, { out: dModel, from: dMlp, bias: config.mlpBias })
  }
  shapes.set(FINAL_NORM, [dModel])
  if (!isTied(config, has)) shapes.set(HEAD, [vocabulary, dModel])
  return shapes
}

type Block = {
  attentionNorm: tf.Tensor1D
  query: Linear
  key: Linear
  value: Linear
  output: Linear
  mlpNorm: tf.Tensor1D
  gate: Linear
  up: Linear
  down: Linear
}

function buildBlock(weights: LoadedWeights, layer: number): Block {
  const linear = (name: string) => new Linear(weights, `layers.${layer}.${name}`)
  const norm = (name: string) => weights.vector(`layers.${layer}.${name}.weight`)
  return {
    attentionNorm: norm('input_layernorm'),
    query: linear('self_attn.q_proj'),
    key: linear('self_attn.k_proj'),
    value: linear('self_attn.v_proj'),
    output: linear('self_attn.o_proj'),
    mlpNorm: norm('post_attention_layernorm'),
    gate: linear('mlp.gate_proj'),
    up: linear('mlp.up_proj'),
    down: linear('mlp.down_proj'),
  }
}

class LlamaNet implements FamilyNet {
  readonly #config: LlamaConfig
  readonly #embedding: tf.Tensor2D
  readonly #blocks: Block[]
  readonly #finalNorm: tf.Tensor1D
  readonly #untiedHead: Linear | null
  readonly #rotary: Rotary
  /** The head of a tied model, transposed when logits are first asked for: collecting activations never needs it. */
  #tiedHead: tf.Tensor2D | null = null

  constructor(config: LlamaConfig, weights: LoadedWeights) {
    this.#config = config
    this.#embedding = weights.matrix(EMBED)
    this.#blocks = Array.from({ length: config.layers }, (_, layer) => buildBlock(weights, layer))
    this.#finalNorm = weights.vector(FINAL_NORM)
    this.#untiedHead = weights.has(HEAD) ? new Linear(weights, 'lm_head') : null
    this.#rotary = new Rotary(config.headDim, config.theta, config.scaling)
  }

  embed(ids: tf.Tensor2D): tf.Tensor3D {
    const [batch, time] = ids.shape
    return tf.reshape(tf.gather(this.#embedding, tf.reshape(ids, [-1])), [batch, time, this.#config.dModel])
  }

  block(x: tf.Tensor3D, context: BlockContext): tf.Tensor3D {
    const { pass, layer } = context
    const block = this.#blockOf(layer)
    const attentionOut = this.#attention(rmsNorm(x, block.attentionNorm, this.#config.normEps), block, context)
    if (pass.hasStopped()) return x
    const addedByAttention = pass.visit(blockHook(layer, 'hook_attn_out'), attentionOut)
    if (pass.hasStopped()) return x
    const middle = pass.visit<tf.Tensor3D>(blockHook(layer, 'hook_resid_mid'), tf.add(x, addedByAttention))
    if (pass.hasStopped()) return x
    const mlpOut = this.#mlp(rmsNorm(middle, block.mlpNorm, this.#config.normEps), block, context)
    if (pass.hasStopped()) return x
    const addedByMlp = pass.visit(blockHook(layer, 'hook_mlp_out'), mlpOut)
    return pass.hasStopped() ? x : tf.add(middle, addedByMlp)
  }

  unembed(x: tf.Tensor3D): tf.Tensor3D {
    const [batch, time, dModel] = x.shape
    const rows: tf.Tensor2D = tf.reshape(rmsNorm(x, this.#finalNorm, this.#config.normEps), [batch * time, dModel])
    const logits = this.#untiedHead ? this.#untiedHead.apply(rows) : tf.matMul(rows, this.#transposedEmbedding())
    return tf.reshape(logits, [batch, time, this.#config.vocabulary])
  }

  dispose(): void {
    for (const block of this.#blocks) for (const part of Object.values(block)) part.dispose()
    this.#embedding.dispose()
    this.#finalNorm.dispose()
    this.#untiedHead?.dispose()
    this.#tiedHead?.dispose()
    this.#rotary.dispose()
  }

  #attention(x: tf.Tensor3D, block: Block, context: BlockContext): tf.Tensor3D {
    const [batch, time, dModel] = x.shape
    const { heads, kvHeads, headDim } = this.#config
    const rows: tf.Tensor2D = tf.reshape(x, [batch * time, dModel])
    const split = (map: Linear, count: number): tf.Tensor4D =>
      tf.reshape(map.apply(rows), [batch, time, count, headDim])
    const rotated = (map: Linear, count: number) => this.#rotary.apply(split(map, count), context.offset)
    const mixed = attend(
      {
        q: headsFirst(tf.mul(rotated(block.query, heads), 1 / Math.sqrt(headDim))),
        k: headsFirst(rotated(block.key, kvHeads)),
        v: headsFirst(split(block.value, kvHeads)),
      },
      context,
    )
    const flat: tf.Tensor2D = tf.reshape(mixed, [batch * time, heads * headDim])
    return tf.reshape(block.output.apply(flat), [batch, time, dModel])
  }

  #mlp(x: tf.Tensor3D, block: Block, { pass, layer }: BlockContext): tf.Tensor3D {
    const [batch, time, dModel] = x.shape
    const rows: tf.Tensor2D = tf.reshape(x, [batch * time, dModel])
    const gate = block.gate.apply(rows)
    const neurons = tf.mul(tf.mul(gate, tf.sigmoid(gate)), block.up.apply(rows))
    const shaped: tf.Tensor3D = tf.reshape(neurons, [batch, time, this.#config.dMlp])
    const post = pass.visit(blockHook(layer, 'mlp.hook_post'), shaped)
    if (pass.hasStopped()) return x
    const flat: tf.Tensor2D = tf.reshape(post, [batch * time, this.#config.dMlp])
    return tf.reshape(block.down.apply(flat), [batch, time, dModel])
  }

  #blockOf(layer: number): Block {
    const block = this.#blocks[layer]
    if (!block) throw new Error(`the model has no block ${layer}`)
    return block
  }

  #transposedEmbedding(): tf.Tensor2D {
    this.#tiedHead ??= tf.keep(tf.transpose(this.#embedding))
    return this.#tiedHead
  }
}

/** Reads `model_type` llama: Llama 1 to 3.x, and others that publish under that type. */
export const llama: Family = {
  modelType: 'llama',
  parse(json) {
    const config = parseLlamaConfig(json)
    const { layers, dModel, heads, kvHeads, headDim, vocabulary, contextSize, bosId } = config
    return {
      facts: { family: 'llama', layers, dModel, heads, kvHeads, headDim, vocabulary, contextSize, bosId },
      shapes: (has) => llamaShapes(config, has),
      build: (weights) => new LlamaNet(config, weights),
    }
  },
}
