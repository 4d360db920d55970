/** GPT-NeoX in float64 and plain loops, from its description: residuals parallel or one after another, heads turned in part. */
import { added, attended, mapped, tensorOf, turned } from './reference-model'
import type { Reference, ReferenceWeights } from './reference-model'

export type NeoXSpec = {
  layers: number
  width: number
  neurons: number
  heads: number
  vocabulary: number
  eps: number
  /** Whether attention and MLP read the same stream. */
  parallel: boolean
  tied: boolean
  /** Angle per position of each turning pair of a head. */
  angles: number[]
}

type Rows = ReturnType<Reference['embed']>

/** Abramowitz and Stegun 7.1.5: the Taylor series of the error function, enough terms for |x| < 4; beyond it is 1 to 1e-8. */
function erf(x: number): number {
  if (Math.abs(x) > 4) return Math.sign(x)
  let term = x
  let sum = x
  for (let n = 1; n < 120; n++) {
    term *= -(x * x) / n
    sum += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}

function layerNormed(rows: Rows, weights: ReferenceWeights, name: string, eps: number): Rows {
  const [weight, bias] = [tensorOf(weights, `${name}.weight`), tensorOf(weights, `${name}.bias`)]
  return rows.map((row) => {
    const mean = row.reduce((sum, value) => sum + value, 0) / row.length
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length
    return row.map((value, i) => ((value - mean) / Math.sqrt(variance + eps)) * weight[i]! + bias[i]!)
  })
}

export function neoX(spec: NeoXSpec, weights: ReferenceWeights): Reference {
  const { width, heads, eps } = spec
  const headDim = width / heads
  const embedding = tensorOf(weights, 'embed_in.weight')
  const map = (x: Rows, name: string, out: number) =>
    mapped(x, { weight: tensorOf(weights, `${name}.weight`), bias: weights.get(`${name}.bias`), out })

  /** The stored map has query, key and value of head 0, then those of head 1. */
  const attention = (x: Rows, layer: number) => {
    const all = map(x, `layers.${layer}.attention.query_key_value`, 3 * width)
    const part = (t: number, head: number, which: number) =>
      all[t]!.slice((3 * head + which) * headDim, (3 * head + which + 1) * headDim)
    const mixed = x.map(() => new Float64Array(width))
    const pattern: number[] = []
    for (let head = 0; head < heads; head++) {
      const placed = (t: number, which: number) =>
        turned(part(t, head, which), t, { angles: spec.angles, magnitude: 1 })
      for (const [t, row] of mixed.entries()) {
        const query = placed(t, 0)
        const scores = x.map((_, key) => placed(key, 1).reduce((sum, value, i) => sum + value * query[i]!, 0))
        const shares = attended(scores.map((score) => score / Math.sqrt(headDim)), (key) => key <= t) // prettier-ignore
        pattern.push(...shares)
        shares.forEach((share, key) => {
          part(key, head, 2).forEach((value, i) => (row[head * headDim + i]! += share * value))
        })
      }
    }
    return { out: map(mixed, `layers.${layer}.attention.dense`, width), pattern }
  }

  return {
    layers: spec.layers,
    embed: (ids) => ids.map((id) => Float64Array.from({ length: width }, (_, i) => embedding[id * width + i]!)),
    block: (x, layer, keep) => {
      const norm = (rows: Rows, name: string) => layerNormed(rows, weights, `layers.${layer}.${name}`, eps)
      const { out, pattern } = attention(norm(x, 'input_layernorm'), layer)
      keep(`attn.${layer}`, pattern)
      keep(`attn_out.${layer}`, out)
      const middle = added(x, out)
      if (!spec.parallel) keep(`resid_mid.${layer}`, middle)
      const read = norm(spec.parallel ? x : middle, 'post_attention_layernorm')
      const inner = map(read, `layers.${layer}.mlp.dense_h_to_4h`, spec.neurons)
      const neurons = inner.map((row) => row.map((value) => (value / 2) * (1 + erf(value / Math.SQRT2))))
      keep(`mlp_post.${layer}`, neurons)
      const mlpOut = map(neurons, `layers.${layer}.mlp.dense_4h_to_h`, width)
      keep(`mlp_out.${layer}`, mlpOut)
      return added(middle, mlpOut)
    },
    logits: (x) => {
      const weight = spec.tied ? embedding : tensorOf(weights, 'embed_out.weight')
      return mapped(layerNormed(x, weights, 'final_layer_norm', eps), { weight, out: spec.vocabulary })
    },
  }
}
