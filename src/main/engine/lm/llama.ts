/** The llama family, and the block its relatives share: RMSNorm, rotary positions, grouped queries, SwiGLU (Touvron et al. 2023; Llama 3 rope scaling). */
import { tf } from '../tf'
import { geluTanh, silu, softCap } from './activations'
import { attend, headsFirst } from './attention'
import type { BlockContext, Family, FamilyNet, LoadedWeights } from './family'
import { blockHook } from './hooks'
import { Linear } from './linear'
import { parseLlamaConfig } from './llama-config'
import type { LlamaConfig, LlamaJson, LlamaVariant } from './llama-config'
import { buildBlock, EMBED, FINAL_NORM, HEAD, llamaShapes, normFactors } from './llama-weights'
import type { Block } from './llama-weights'
import { rmsNorm } from './norms'
import { cacheBorder, Rotary } from './rotary'
import { mapRows } from './row-blocks'

class LlamaNet implements FamilyNet {
  readonly #config: LlamaConfig
  readonly #embedding: tf.Tensor2D
  readonly #blocks: Block[]
  readonly #finalNorm: tf.Tensor1D
  readonly #untiedHead: Linear | null
  readonly #rotary: Rotary
  /** Of local layers, where they have their own. */
  readonly #localRotary: Rotary | null
  /** The head of a tied model, transposed when logits are first asked for: collecting activations never needs it. */
  #tiedHead: tf.Tensor2D | null = null

  constructor(config: LlamaConfig, weights: LoadedWeights) {
    this.#config = config
    this.#embedding = weights.matrix(EMBED)
    this.#blocks = Array.from({ length: weights.blocks }, (_, layer) => buildBlock(weights, layer, config))
    this.#finalNorm = normFactors(weights, FINAL_NORM, config.variant)
    this.#untiedHead = weights.has(HEAD) ? new Linear(weights, 'lm_head') : null
    const { headDim, rope, rotating, variant } = config
    const local = variant.localRope
    this.#rotary = new Rotary(headDim, rope.theta, rope.scaling, rotating)
    this.#localRotary = local && new Rotary(headDim, local.theta, local.scaling, rotating)
  }

  embed(ids: tf.Tensor2D): tf.Tensor3D {
    const [batch, time] = ids.shape
    const { dModel, variant } = this.#config
    const rows = tf.gather(this.#embedding, tf.reshape(ids, [-1]))
    return tf.reshape(variant.embedScale === 1 ? rows : tf.mul(rows, variant.embedScale), [batch, time, dModel])
  }

  block(x: tf.Tensor3D, context: BlockContext): tf.Tensor3D {
    const { pass, layer } = context
    const block = this.#blockOf(layer)
    const attentionOut = pass.tidy(() => this.#attention(this.#norm(x, block.attentionNorm), block, context))
    if (pass.hasStopped()) return x
    const addedByAttention = pass.visit(
      blockHook(layer, 'hook_attn_out'),
      this.#norm(attentionOut, block.attentionOutNorm),
    )
    if (pass.hasStopped()) return x
    const middle = pass.visit<tf.Tensor3D>(blockHook(layer, 'hook_resid_mid'), tf.add(x, addedByAttention))
    if (pass.hasStopped()) return x
    const mlpOut = pass.tidy(() => this.#mlp(this.#norm(middle, block.mlpNorm), block, context))
    if (pass.hasStopped()) return x
    const addedByMlp = pass.visit(blockHook(layer, 'hook_mlp_out'), this.#norm(mlpOut, block.mlpOutNorm))
    return pass.hasStopped() ? x : tf.add(middle, addedByMlp)
  }

  unembed(x: tf.Tensor3D): tf.Tensor3D {
    const [batch, time, dModel] = x.shape
    const rows: tf.Tensor2D = tf.reshape(this.#norm(x, this.#finalNorm), [batch * time, dModel])
    const logits = this.#untiedHead ? this.#untiedHead.apply(rows) : tf.matMul(rows, this.#transposedEmbedding())
    return tf.reshape(softCap(logits, this.#config.variant.logitCap), [batch, time, this.#config.vocabulary])
  }

  project(directions: tf.Tensor2D): tf.Tensor2D {
    const scaled: tf.Tensor2D = tf.mul(directions, this.#finalNorm)
    return this.#untiedHead ? this.#untiedHead.map(scaled) : tf.matMul(scaled, this.#transposedEmbedding())
  }

  dispose(): void {
    for (const block of this.#blocks) for (const part of Object.values(block)) part?.dispose()
    this.#embedding.dispose()
    this.#finalNorm.dispose()
    this.#untiedHead?.dispose()
    this.#tiedHead?.dispose()
    this.#rotary.dispose()
    this.#localRotary?.dispose()
  }

  /** RMSNorm, or x itself where the family has no norm. */
  #norm<T extends tf.Tensor>(x: T, factors: tf.Tensor1D | null): T {
    return factors ? rmsNorm(x, factors, this.#config.normEps) : x
  }

  #attention(x: tf.Tensor3D, block: Block, context: BlockContext): tf.Tensor3D {
    const [batch, time, dModel] = x.shape
    const { heads, kvHeads, headDim, variant } = this.#config
    const rows: tf.Tensor2D = tf.reshape(x, [batch * time, dModel])
    const split = (map: Linear, count: number): tf.Tensor4D =>
      tf.reshape(map.apply(rows), [batch, time, count, headDim])
    const isLocal = variant.localRope?.isLocal(context.layer) === true
    const rotary = (isLocal ? this.#localRotary : null) ?? this.#rotary
    const rotated = (heads: tf.Tensor4D, norm: tf.Tensor1D | null) =>
      rotary.apply(this.#norm(heads, norm), context.positions)
    const scale = variant.queryScale ?? 1 / Math.sqrt(headDim)
    const parts = {
      q: tf.tidy(() => headsFirst(tf.mul(rotated(split(block.query, heads), block.queryNorm), scale))),
      k: tf.tidy(() => headsFirst(rotated(split(block.key, kvHeads), block.keyNorm))),
      v: tf.tidy(() => headsFirst(split(block.value, kvHeads))),
    }
    const mixed = attend(parts, context, { window: variant.window(context.layer), softCap: variant.attentionCap })
    const flat: tf.Tensor2D = tf.reshape(mixed, [batch * time, heads * headDim])
    return tf.reshape(block.output.apply(flat), [batch, time, dModel])
  }

  #mlp(x: tf.Tensor3D, block: Block, { pass, layer }: BlockContext): tf.Tensor3D {
    const [batch, time, dModel] = x.shape
    const rows: tf.Tensor2D = tf.reshape(x, [batch * time, dModel])
    const activate = this.#config.activation === 'silu' ? silu : geluTanh
    const hookName = blockHook(layer, 'mlp.hook_post')
    const neuronsOf = (some: tf.Tensor2D): tf.Tensor2D => tf.mul(activate(block.gate.apply(some)), block.up.apply(some))
    if (!pass.wants(hookName)) {
      return tf.reshape(
        mapRows(rows, (some) => block.down.apply(neuronsOf(some))),
        [batch, time, dModel],
      )
    }
    const shaped: tf.Tensor3D = tf.reshape(mapRows(rows, neuronsOf), [batch, time, this.#config.dMlp])
    const post = pass.visit(hookName, shaped)
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

type Relative = {
  modelType: string
  /** What the family's published configs leave out, where Llama would take another value. */
  defaults?: Record<string, unknown>
  vary?: (json: LlamaJson) => Partial<LlamaVariant>
}

/** A family made of Llama's blocks, with differences. */
export function llamaRelative({ modelType, defaults = {}, vary }: Relative): Family {
  return {
    modelType,
    parse(json) {
      const config = parseLlamaConfig(Object.assign({ ...defaults }, json), vary)
      const { layers, dModel, heads, kvHeads, headDim, vocabulary, contextSize, bosId } = config
      const border = cacheBorder(config.rope.scaling)
      return {
        facts: {
          ...{ family: modelType, layers, dModel, heads, kvHeads, headDim, vocabulary, contextSize, bosId },
          ...(border !== null && { cacheBorder: border }),
        },
        shapes: (has) => llamaShapes(config, has),
        build: (weights) => new LlamaNet(config, weights),
      }
    },
  }
}

/** Reads `model_type` llama: Llama 1 to 3.x, and others that publish under that type. */
export const llama = llamaRelative({ modelType: 'llama' })
