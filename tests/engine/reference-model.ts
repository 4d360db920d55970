/** Llama-like decoders once more, in float64 and plain loops, written from their published descriptions: what the engine is held against. */

/** One decoder, as its paper and its published config describe it. */
export type ReferenceSpec = {
  layers: number
  /** Of the residual stream, and of the MLP inside. */
  width: number
  neurons: number
  heads: number
  kvHeads: number
  headDim: number
  vocabulary: number
  eps: number
  /** Whether norms multiply by 1 + weight. */
  onePlus: boolean
  /** Whether what attention and MLP add is normed, too. */
  outputNorms: boolean
  /** Whether each head of queries and keys is normed before it turns. */
  headNorms: boolean
  embedFactor: number
  /** What a product of query and key is multiplied by. */
  scoreFactor: number
  scoreCap: number | null
  logitCap: number | null
  gate: 'silu' | 'gelu-tanh'
  /** Whether queries, keys and values are one stored map, and gate and up another (Phi-3). */
  fused: boolean
  tied: boolean
  /** Positions a token sees, its own included. */
  window(layer: number): number | null
  /** Angle per position of each turning pair of features, and what turned features are multiplied by, in a text so long. */
  turning(layer: number, length: number): { angles: number[]; magnitude: number }
}

/** Tensors of a checkpoint by name without prefix, row-major. */
export type ReferenceWeights = ReadonlyMap<string, ArrayLike<number>>

/** One vector for each position. */
type Rows = Float64Array[]
type Maps = { weights: ReferenceWeights; spec: ReferenceSpec }

/** Angles theta^(-2i / turning) of the pairs of `turning` features, each divided by its factor. */
export const anglesOf = (theta: number, turning: number, factor: (pair: number) => number = () => 1): number[] =>
  Array.from({ length: turning / 2 }, (_, pair) => theta ** ((-2 * pair) / turning) / factor(pair))

export const capped = (value: number, cap: number | null) => (cap === null ? value : cap * Math.tanh(value / cap))

export function tensorOf(weights: ReferenceWeights, name: string): ArrayLike<number> {
  const tensor = weights.get(name)
  if (!tensor) throw new Error(`the checkpoint has no ${name}`)
  return tensor
}

/** y_o = sum_i W[first + o, i] x_i + b_o for every row; W is stored [out, in]. */
export function mapped(
  rows: Rows,
  stored: { weight: ArrayLike<number>; bias?: ArrayLike<number> | undefined; first?: number; out: number },
): Rows {
  const { weight, bias, first = 0, out } = stored
  return rows.map((row) =>
    Float64Array.from({ length: out }, (_, o) => {
      let sum = bias?.[o] ?? 0
      for (let i = 0; i < row.length; i++) sum += (weight[(first + o) * row.length + i] ?? Number.NaN) * row[i]!
      return sum
    }),
  )
}

function normed(rows: Rows, weight: ArrayLike<number>, { eps, onePlus }: ReferenceSpec): Rows {
  return rows.map((row) => {
    const meanSquare = row.reduce((sum, value) => sum + value * value, 0) / row.length
    return row.map((value, i) => (value / Math.sqrt(meanSquare + eps)) * ((onePlus ? 1 : 0) + weight[i]!))
  })
}

export const added = (a: Rows, b: Rows): Rows => a.map((row, t) => row.map((value, i) => value + b[t]![i]!))

/** Feature i and feature i + pairs of a head are one point of a plane, turned by position times angle. */
export function turned(
  head: Float64Array,
  position: number,
  { angles, magnitude }: ReturnType<ReferenceSpec['turning']>,
) {
  const result = head.slice()
  angles.forEach((angle, i) => {
    const [x, y] = [head[i]!, head[i + angles.length]!]
    const [cos, sin] = [Math.cos(position * angle), Math.sin(position * angle)]
    result[i] = magnitude * (x * cos - y * sin)
    result[i + angles.length] = magnitude * (x * sin + y * cos)
  })
  return result
}

/** Softmax of the scores of one query over the keys it sees; zeros for the rest. */
export function attended(scores: number[], seen: (key: number) => boolean): number[] {
  const largest = Math.max(...scores.filter((_, key) => seen(key)))
  const parts = scores.map((score, key) => (seen(key) ? Math.exp(score - largest) : 0))
  const total = parts.reduce((sum, part) => sum + part, 0)
  return parts.map((part) => part / total)
}

/** Queries, keys and values of a layer, one stored map each or one for all. */
function projected(x: Rows, layer: number, { weights, spec }: Maps): Record<'q' | 'k' | 'v', Rows> {
  const [queries, keys] = [spec.heads * spec.headDim, spec.kvHeads * spec.headDim]
  const prefix = `layers.${layer}.self_attn.`
  if (spec.fused) {
    const weight = tensorOf(weights, `${prefix}qkv_proj.weight`)
    const part = (first: number, out: number) => mapped(x, { weight, first, out })
    return { q: part(0, queries), k: part(queries, keys), v: part(queries + keys, keys) }
  }
  const part = (name: string, out: number) =>
    mapped(x, { weight: tensorOf(weights, `${prefix}${name}.weight`), bias: weights.get(`${prefix}${name}.bias`), out })
  return { q: part('q_proj', queries), k: part('k_proj', keys), v: part('v_proj', keys) }
}

/** @returns what attention adds before any norm of it, and the patterns [heads, time, time] */
function attention(x: Rows, layer: number, maps: Maps): { out: Rows; pattern: number[] } {
  const { weights, spec } = maps
  const { heads, kvHeads, headDim } = spec
  const time = x.length
  const turning = spec.turning(layer, time)
  const { q, k, v } = projected(x, layer, maps)
  const headOf = (rows: Rows, t: number, head: number) => rows[t]!.subarray(head * headDim, (head + 1) * headDim)
  const placed = (rows: Rows, head: number, norm: string) =>
    rows.map((_, t) => {
      const plain = [headOf(rows, t, head).slice()]
      const name = `layers.${layer}.self_attn.${norm}.weight`
      const [own] = spec.headNorms ? normed(plain, tensorOf(weights, name), spec) : plain
      return turned(own!, t, turning)
    })
  const window = spec.window(layer) ?? Number.POSITIVE_INFINITY
  const mixed = x.map(() => new Float64Array(heads * headDim))
  const pattern: number[] = []
  for (let head = 0; head < heads; head++) {
    const shared = Math.floor(head / (heads / kvHeads))
    const [queries, keys] = [placed(q, head, 'q_norm'), placed(k, shared, 'k_norm')]
    for (let t = 0; t < time; t++) {
      const scores = keys.map((key) => {
        const product = key.reduce((sum, value, i) => sum + value * queries[t]![i]!, 0)
        return capped(product * spec.scoreFactor, spec.scoreCap)
      })
      const shares = attended(scores, (key) => key <= t && key > t - window)
      pattern.push(...shares)
      shares.forEach((share, key) => {
        headOf(v, key, shared).forEach((value, i) => (mixed[t]![head * headDim + i]! += share * value))
      })
    }
  }
  const name = `layers.${layer}.self_attn.o_proj`
  const weight = tensorOf(weights, `${name}.weight`)
  return { out: mapped(mixed, { weight, bias: weights.get(`${name}.bias`), out: spec.width }), pattern }
}

function gated(value: number, gate: ReferenceSpec['gate']): number {
  if (gate === 'silu') return value / (1 + Math.exp(-value))
  return 0.5 * value * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (value + 0.044715 * value ** 3)))
}

function neuronsOf(x: Rows, layer: number, { weights, spec }: Maps): Rows {
  const prefix = `layers.${layer}.mlp.`
  const out = spec.neurons
  const part = (name: string, first: number) => {
    const weight = tensorOf(weights, `${prefix}${spec.fused ? 'gate_up_proj' : name}.weight`)
    return mapped(x, { weight, first: spec.fused ? first : 0, out })
  }
  const [gate, up] = [part('gate_proj', 0), part('up_proj', out)]
  return gate.map((row, t) => row.map((value, i) => gated(value, spec.gate) * up[t]![i]!))
}

type Keep = (name: string, rows: Rows | number[]) => void

function block(x: Rows, layer: number, maps: Maps, keep: Keep): Rows {
  const { weights, spec } = maps
  const norm = (rows: Rows, name: string) => normed(rows, tensorOf(weights, `layers.${layer}.${name}.weight`), spec)
  const { out, pattern } = attention(norm(x, 'input_layernorm'), layer, maps)
  keep(`attn.${layer}`, pattern)
  const attentionOut = spec.outputNorms ? norm(out, 'post_attention_layernorm') : out
  keep(`attn_out.${layer}`, attentionOut)
  const middle = added(x, attentionOut)
  keep(`resid_mid.${layer}`, middle)
  const before = norm(middle, spec.outputNorms ? 'pre_feedforward_layernorm' : 'post_attention_layernorm')
  const neurons = neuronsOf(before, layer, maps)
  keep(`mlp_post.${layer}`, neurons)
  const down = mapped(neurons, { weight: tensorOf(weights, `layers.${layer}.mlp.down_proj.weight`), out: spec.width })
  const mlpOut = spec.outputNorms ? norm(down, 'post_feedforward_layernorm') : down
  keep(`mlp_out.${layer}`, mlpOut)
  return added(middle, mlpOut)
}

/** A model that only knows how to do one step after another; {@link runReference} and its neighbours drive it. */
export type Reference = {
  layers: number
  embed(ids: readonly number[]): Rows
  block(x: Rows, layer: number, keep: Keep): Rows
  logits(x: Rows): Rows
}

export function llamaLike(spec: ReferenceSpec, weights: ReferenceWeights): Reference {
  const embedding = tensorOf(weights, 'embed_tokens.weight')
  const { width, embedFactor } = spec
  return {
    layers: spec.layers,
    embed: (ids) =>
      ids.map((id) => Float64Array.from({ length: width }, (_, i) => embedding[id * width + i]! * embedFactor)),
    block: (x, layer, keep) => block(x, layer, { weights, spec }, keep),
    logits: (x) => {
      const weight = spec.tied ? embedding : tensorOf(weights, 'lm_head.weight')
      const rows = mapped(normed(x, tensorOf(weights, 'norm.weight'), spec), { weight, out: spec.vocabulary })
      return rows.map((row) => row.map((value) => capped(value, spec.logitCap)))
    },
  }
}
