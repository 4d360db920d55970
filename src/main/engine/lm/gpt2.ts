/** The gpt2 family: LayerNorm, learned positions, one fused map for queries, keys and values, tanh GELU (Radford et al. 2019). */
import { z } from 'zod'
import { tf } from '../tf'
import { geluTanh } from './activations'
import { attend, headsFirst } from './attention'
import type { BlockContext, ConfigFacts, Family, FamilyNet, LoadedWeights, TensorShapes } from './family'
import { blockHook } from './hooks'
import { Linear } from './linear'
import { LayerNorm } from './norms'

const width = z.int().min(1).max(1_000_000)

const Gpt2Json = z.looseObject({
  n_embd: width,
  n_layer: z.int().min(1).max(1000),
  n_head: z.int().min(1).max(4096),
  n_positions: z.int().min(1).max(100_000_000).default(1024),
  n_inner: width.nullish(),
  vocab_size: z.int().min(1).max(4_000_000),
  layer_norm_epsilon: z.number().positive().max(1).default(1e-5),
  activation_function: z.string().default('gelu_new'),
  scale_attn_weights: z.boolean().default(true),
  scale_attn_by_inverse_layer_idx: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(true),
  bos_token_id: z.unknown().optional(),
})

type Gpt2Config = ConfigFacts & {
  dMlp: number
  normEps: number
  scalesByLayer: boolean
  isTied: boolean
  scale: number
}

const TANH_GELUS = ['gelu_new', 'gelu_pytorch_tanh', 'gelu_fast']

/** @throws z.ZodError, or Error with a reason for what is not supported */
function parseConfig(json: unknown): Gpt2Config {
  const config = Gpt2Json.parse(json)
  const { n_embd: dModel, n_layer: layers, n_head: heads, bos_token_id: bos, activation_function: activation } = config
  if (dModel % heads !== 0) throw new Error(`n_embd ${dModel} is not a multiple of n_head ${heads}`)
  if (!TANH_GELUS.includes(activation)) throw new Error(`the activation ${activation} is not supported`)
  const headDim = dModel / heads
  return {
    ...{ family: 'gpt2', layers, dModel, heads, kvHeads: heads, headDim, vocabulary: config.vocab_size },
    contextSize: config.n_positions,
    bosId: typeof bos === 'number' && Number.isInteger(bos) ? bos : null,
    dMlp: config.n_inner ?? 4 * dModel,
    normEps: config.layer_norm_epsilon,
    scale: config.scale_attn_weights ? 1 / Math.sqrt(headDim) : 1,
    scalesByLayer: config.scale_attn_by_inverse_layer_idx,
    isTied: config.tie_word_embeddings,
  }
}

/** Every tensor with its stored shape; this family alone stores linear maps [in, out]. Mask buffers are left where they are. */
function shapesOf({ dModel, dMlp, layers, vocabulary, contextSize, isTied }: Gpt2Config): TensorShapes {
  const shapes: TensorShapes = new Map([
    ['wte.weight', [vocabulary, dModel]],
    ['wpe.weight', [contextSize, dModel]],
  ])
  const norm = (name: string) => shapes.set(`${name}.weight`, [dModel]).set(`${name}.bias`, [dModel])
  const map = (name: string, from: number, out: number) =>
    shapes.set(`${name}.weight`, [from, out]).set(`${name}.bias`, [out])
  for (let layer = 0; layer < layers; layer++) {
    const block = `h.${layer}`
    norm(`${block}.ln_1`)
    map(`${block}.attn.c_attn`, dModel, 3 * dModel)
    map(`${block}.attn.c_proj`, dModel, dModel)
    norm(`${block}.ln_2`)
    map(`${block}.mlp.c_fc`, dModel, dMlp)
    map(`${block}.mlp.c_proj`, dMlp, dModel)
  }
  norm('ln_f')
  if (!isTied) shapes.set('lm_head.weight', [vocabulary, dModel])
  return shapes
}

const partsOfBlock = (weights: LoadedWeights, layer: number, eps: number) => ({
  attentionNorm: new LayerNorm(weights, `h.${layer}.ln_1`, eps),
  qkv: new Linear(weights, `h.${layer}.attn.c_attn`, 'in-out'),
  output: new Linear(weights, `h.${layer}.attn.c_proj`, 'in-out'),
  mlpNorm: new LayerNorm(weights, `h.${layer}.ln_2`, eps),
  up: new Linear(weights, `h.${layer}.mlp.c_fc`, 'in-out'),
  down: new Linear(weights, `h.${layer}.mlp.c_proj`, 'in-out'),
})
type Block = ReturnType<typeof partsOfBlock>

class Gpt2Net implements FamilyNet {
  readonly #config: Gpt2Config
  readonly #tokens: tf.Tensor2D
  readonly #positions: tf.Tensor2D
  readonly #blocks: Block[]
  readonly #finalNorm: LayerNorm
  readonly #untiedHead: Linear | null
  /** The embedding transposed, made when logits are first asked for: collecting activations never needs it. */
  #tiedHead: tf.Tensor2D | null = null

  constructor(config: Gpt2Config, weights: LoadedWeights) {
    this.#config = config
    this.#tokens = weights.matrix('wte.weight')
    this.#positions = weights.matrix('wpe.weight')
    this.#blocks = Array.from({ length: config.layers }, (_, layer) => partsOfBlock(weights, layer, config.normEps))
    this.#finalNorm = new LayerNorm(weights, 'ln_f', config.normEps)
    this.#untiedHead = config.isTied ? null : new Linear(weights, 'lm_head')
  }

  embed(ids: tf.Tensor2D, offset: number): tf.Tensor3D {
    const [batch, time] = ids.shape
    const { dModel } = this.#config
    const tokens: tf.Tensor3D = tf.reshape(tf.gather(this.#tokens, tf.reshape(ids, [-1])), [batch, time, dModel])
    return tf.add(tokens, tf.slice(this.#positions, [offset, 0], [time, dModel]))
  }

  block(x: tf.Tensor3D, context: BlockContext): tf.Tensor3D {
    const { pass, layer } = context
    const block = this.#blockOf(layer)
    const attentionOut = this.#attention(block.attentionNorm.apply(x), block, context)
    if (pass.hasStopped()) return x
    const addedByAttention = pass.visit(blockHook(layer, 'hook_attn_out'), attentionOut)
    if (pass.hasStopped()) return x
    const middle = pass.visit<tf.Tensor3D>(blockHook(layer, 'hook_resid_mid'), tf.add(x, addedByAttention))
    if (pass.hasStopped()) return x
    const mlpOut = this.#mlp(block.mlpNorm.apply(middle), block, context)
    if (pass.hasStopped()) return x
    const addedByMlp = pass.visit(blockHook(layer, 'hook_mlp_out'), mlpOut)
    return pass.hasStopped() ? x : tf.add(middle, addedByMlp)
  }

  unembed(x: tf.Tensor3D): tf.Tensor3D {
    const [batch, time, dModel] = x.shape
    const rows: tf.Tensor2D = tf.reshape(this.#finalNorm.apply(x), [batch * time, dModel])
    this.#tiedHead ??= this.#untiedHead ? null : tf.keep(tf.transpose(this.#tokens))
    const logits = this.#tiedHead ? tf.matMul(rows, this.#tiedHead) : this.#untiedHead?.apply(rows)
    if (!logits) throw new Error('the model has no head')
    return tf.reshape(logits, [batch, time, this.#config.vocabulary])
  }

  dispose(): void {
    for (const block of this.#blocks) for (const part of Object.values(block)) part.dispose()
    this.#tokens.dispose()
    this.#positions.dispose()
    this.#finalNorm.dispose()
    this.#untiedHead?.dispose()
    this.#tiedHead?.dispose()
  }

  #attention(x: tf.Tensor3D, block: Block, context: BlockContext): tf.Tensor3D {
    const [batch, time, dModel] = x.shape
    const { heads, headDim, scale, scalesByLayer } = this.#config
    const fused = block.qkv.apply(tf.reshape(x, [batch * time, dModel]))
    const cut = (part: number): tf.Tensor4D =>
      tf.reshape(tf.slice(fused, [0, part * dModel], [batch * time, dModel]), [batch, time, heads, headDim])
    const queryScale = scalesByLayer ? scale / (context.layer + 1) : scale
    const mixed = attend(
      { q: headsFirst(tf.mul(cut(0), queryScale)), k: headsFirst(cut(1)), v: headsFirst(cut(2)) },
      context,
    )
    return tf.reshape(block.output.apply(tf.reshape(mixed, [batch * time, dModel])), [batch, time, dModel])
  }

  #mlp(x: tf.Tensor3D, block: Block, { pass, layer }: BlockContext): tf.Tensor3D {
    const [batch, time, dModel] = x.shape
    const { dMlp } = this.#config
    const neurons = geluTanh(block.up.apply(tf.reshape(x, [batch * time, dModel])))
    const post = pass.visit<tf.Tensor3D>(blockHook(layer, 'mlp.hook_post'), tf.reshape(neurons, [batch, time, dMlp]))
    if (pass.hasStopped()) return x
    return tf.reshape(block.down.apply(tf.reshape(post, [batch * time, dMlp])), [batch, time, dModel])
  }

  #blockOf(layer: number): Block {
    const block = this.#blocks[layer]
    if (!block) throw new Error(`the model has no block ${layer}`)
    return block
  }
}

/** Reads `model_type` gpt2, whole or in shards, with or without `transformer.` before its names. */
export const gpt2: Family = {
  modelType: 'gpt2',
  parse(json) {
    const config = parseConfig(json)
    const { family, layers, dModel, heads, kvHeads, headDim, vocabulary, contextSize, bosId } = config
    return {
      facts: { family, layers, dModel, heads, kvHeads, headDim, vocabulary, contextSize, bosId },
      shapes: () => shapesOf(config),
      build: (weights) => new Gpt2Net(config, weights),
    }
  },
}
