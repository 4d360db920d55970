/** Pearson correlations of features with neurons from running sums over tokens, which need room for pairs and none for tokens. */
import { tf } from '../tf'

/** Rows that are multiplied at once in float32; their products are then added up in float64. */
const BLOCK_ROWS = 2048
/** Values whose variance is less than this share of their mean square are constant, but for rounding. */
const CONSTANT = 1e-12

/** What some features and neurons do on the same tokens. */
export type NeuronBlock = {
  /** Activations [rows, S]. */
  acts: Float32Array
  /** Values of each layer's neurons [rows, its width]; changed by adding them. */
  neurons: readonly Float32Array[]
  rows: number
}

/** The best neuron of one feature: the one with the largest |r|, the first among equals; none where every r is 0. */
export type BestMatch = { neuron: number; r: number } | null

/** Bytes of the sums of S features and N neurons: what a correlation takes however long the text is. */
export const neuronSumBytes = (features: number, neurons: number): number =>
  8 * features * neurons + 24 * features + 20 * neurons

/** Square root of the centred sum of squares; 0 for what is constant. */
function spreadOf(sum: number, squares: number, tokens: number): number {
  const centred = squares - (sum * sum) / tokens
  return centred > CONSTANT * squares ? Math.sqrt(centred) : 0
}

/**
 * r = (sum an - sum a sum n / T) / sqrt((sum a^2 - (sum a)^2 / T) (sum n^2 - (sum n)^2 / T)), Pearson's product-moment correlation.
 * From every neuron its first value is taken away, which changes no r and keeps digits where a mean is far from 0 (Chan, Golub
 * and LeVeque 1983); what never changes is then exactly 0.
 */
export class NeuronSums {
  private tokens = 0
  /** Tokens with an activation above 0 [S]. */
  readonly fired: Float64Array
  private readonly acts: Float64Array
  private readonly actSquares: Float64Array
  private readonly neurons: Float64Array
  private readonly neuronSquares: Float64Array
  private readonly first: Float32Array
  /** [S, N] */
  private readonly products: Float64Array

  /** @param widths neurons of each layer; N is their sum */
  constructor(
    private readonly features: number,
    private readonly widths: readonly number[],
  ) {
    const neurons = widths.reduce((sum, width) => sum + width, 0)
    this.fired = new Float64Array(features)
    this.acts = new Float64Array(features)
    this.actSquares = new Float64Array(features)
    this.neurons = new Float64Array(neurons)
    this.neuronSquares = new Float64Array(neurons)
    this.first = new Float32Array(neurons)
    this.products = new Float64Array(features * neurons)
  }

  get bytes(): number {
    const arrays = [this.fired, this.acts, this.actSquares, this.neurons, this.neuronSquares, this.first, this.products]
    return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0)
  }

  add({ acts, neurons, rows }: NeuronBlock): void {
    if (rows === 0) return
    this.addActs(acts)
    let offset = 0
    this.widths.forEach((width, layer) => {
      const values = neurons[layer] ?? new Float32Array()
      this.addNeurons(values, { width, offset })
      for (let row = 0; row < rows; row += BLOCK_ROWS) {
        const count = Math.min(BLOCK_ROWS, rows - row)
        const some = acts.subarray(row * this.features, (row + count) * this.features)
        this.addProducts(some, values.subarray(row * width, (row + count) * width), { width, offset })
      }
      offset += width
    })
    this.tokens += rows
  }

  /** r of one feature with every neuron [N], layer after layer; 0 where either never changes. */
  correlations(feature: number): Float64Array {
    const { tokens, neurons, neuronSquares, products } = this
    const sum = this.acts[feature] ?? 0
    const spread = spreadOf(sum, this.actSquares[feature] ?? 0, tokens)
    return neurons.map((neuronSum, n) => {
      const both = spread * spreadOf(neuronSum, neuronSquares[n] ?? 0, tokens)
      if (!(both > 0)) return 0
      const together = (products[feature * neurons.length + n] ?? 0) - (sum * neuronSum) / tokens
      return Math.min(1, Math.max(-1, together / both))
    })
  }

  best(feature: number): BestMatch {
    let found: BestMatch = null
    this.correlations(feature).forEach((r, neuron) => {
      if (Math.abs(r) > Math.abs(found?.r ?? 0)) found = { neuron, r }
    })
    return found
  }

  private addActs(acts: Float32Array): void {
    const { features, fired, acts: sums, actSquares } = this
    for (let at = 0; at < acts.length; at++) {
      const value = acts[at] ?? 0
      if (value === 0) continue
      const i = at % features
      fired[i] = (fired[i] ?? 0) + 1
      sums[i] = (sums[i] ?? 0) + value
      actSquares[i] = (actSquares[i] ?? 0) + value * value
    }
  }

  private addNeurons(values: Float32Array, { width, offset }: { width: number; offset: number }): void {
    const { first, neurons, neuronSquares } = this
    if (this.tokens === 0) first.set(values.subarray(0, width), offset)
    for (let start = 0; start < values.length; start += width) {
      for (let j = 0; j < width; j++) {
        const n = offset + j
        const value = Math.fround((values[start + j] ?? 0) - (first[n] ?? 0))
        values[start + j] = value
        neurons[n] = (neurons[n] ?? 0) + value
        neuronSquares[n] = (neuronSquares[n] ?? 0) + value * value
      }
    }
  }

  /** @param acts [rows, S] @param values [rows, width] of the layer that begins at `offset` */
  private addProducts(
    acts: Float32Array,
    values: Float32Array,
    { width, offset }: { width: number; offset: number },
  ): void {
    const { features, products } = this
    const rows = values.length / width
    const product = tf.tidy(() =>
      tf.matMul(tf.tensor2d(acts, [rows, features]), tf.tensor2d(values, [rows, width]), true),
    )
    const found = product.dataSync<'float32'>()
    product.dispose()
    for (let i = 0; i < features; i++) {
      const [from, to] = [i * width, i * this.neurons.length + offset]
      for (let j = 0; j < width; j++) products[to + j] = (products[to + j] ?? 0) + (found[from + j] ?? 0)
    }
  }
}
