/**
 * Features against neurons: how strongly a feature goes with single MLP neurons of the layers before it, in one pass over a text
 * ("Scaling Monosemanticity", features vs. neurons). A neuron's value is what `mlp.hook_post` holds: after the nonlinearity, and in
 * a gated MLP act(gate) * up.
 */
import { tf } from '../tf'
import type { Sae } from '../sae/loaded'
import { walkHooks } from '../train/activations'
import type { HookActivations, HookSource } from '../train/activations'
import { windowCount } from '../train/contexts'
import type { Windows } from '../train/contexts'
import { Random } from '../train/random'
import { NeuronSums } from './neuron-sums'
import type { BestMatch } from './neuron-sums'
import { R_BINS } from '../../../shared/neurons'
import type { BestNeuron, NeuronPlace } from '../../../shared/neurons'

/** Values of neurons, or of features, that are held at once in each of the places that need them. */
const BLOCK_BYTES = 64 * 1024 * 1024
const BLOCK_ROWS = 2048

/** Rows of so many float32 values that fit into {@link BLOCK_BYTES}. */
const rowsFor = (values: number): number => Math.max(1, Math.min(BLOCK_ROWS, Math.floor(BLOCK_BYTES / (4 * values))))

export type NeuronOptions = {
  /** First the autoencoder's own hook, then the neurons of each layer. */
  source: HookSource
  windows: Windows
  sae: Sae
  /** Which features [S]. */
  features: Int32Array
  contextSize: number
  /** Tokens with a larger norm are attention sinks and left out, as in an atlas. */
  sinkNorm: number
  /** Called after every block; false ends the pass early. */
  onProgress: (tokens: number) => Promise<boolean>
}

export type NeuronFigures = {
  /** Tokens that count, and neurons of all layers. */
  tokens: number
  neurons: number
  /** Of each feature, in the order asked: its best neuron, signed r with it, and on how many of the tokens it fires. */
  best: BestNeuron[]
}

/** So many of some features, drawn without replacement, ascending; all of them where there are no more. */
export function drawFeatures(features: readonly number[], count: number, seed: number): Int32Array {
  const drawn = Random.fromSeed(seed).shuffle(Int32Array.from(features))
  return drawn.slice(0, count).sort()
}

/** Counts of |r| in equal bins from 0 to 1, each with its upper border, the first with both [R_BINS]. */
export function rHistogram(strengths: readonly number[]): number[] {
  const counts = new Array<number>(R_BINS).fill(0)
  for (const strength of strengths) {
    const bin = Math.min(R_BINS - 1, Math.max(0, Math.ceil(strength * R_BINS) - 1))
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  return counts
}

/** Width of each hook of a source, from a pass over a few tokens. */
export function widthsOf(source: HookSource): number[] {
  const ids = new Int32Array(16)
  return source
    .start(ids, 1)()
    .map((values) => values.length / ids.length)
}

/** Layer and place of the n-th neuron of all layers. */
function placeOf(n: number, widths: readonly number[]): NeuronPlace {
  let neuron = n
  let layer = 0
  for (; neuron >= (widths[layer] ?? Infinity); layer++) neuron -= widths[layer] ?? 0
  return { layer, neuron }
}

class Pass {
  readonly sums: NeuronSums
  tokens = 0
  /** Text tokens looked at, sinks included. */
  seen = 0

  constructor(
    private readonly options: NeuronOptions,
    private readonly widths: readonly number[],
  ) {
    this.sums = new NeuronSums(options.features.length, widths)
  }

  /** Takes in some windows, but for their sinks. */
  take(held: readonly HookActivations[]): void {
    const { sae, sinkNorm } = this.options
    const kept = held.map(([own]) => {
      const norms = Array.from(own?.norms ?? [])
      return norms.flatMap((norm, t) => (norm > sinkNorm ? [] : [t]))
    })
    const rows = kept.reduce((sum, tokens) => sum + tokens.length, 0)
    /** The kept rows of one hook [rows, width]. */
    const rowsOf = (hook: number, width: number) => {
      const values = new Float32Array(rows * width)
      let row = 0
      held.forEach((window, w) => {
        const vectors = window[hook]?.vectors ?? new Float32Array()
        for (const t of kept[w] ?? []) values.set(vectors.subarray(t * width, (t + 1) * width), row++ * width)
      })
      return values
    }
    const acts = this.encode(rowsOf(0, sae.dIn), rows)
    this.sums.add({ acts, neurons: this.widths.map((width, layer) => rowsOf(layer + 1, width)), rows })
    this.tokens += rows
    this.seen += held.reduce((sum, [own]) => sum + (own?.norms.length ?? 0), 0)
  }

  /** Activations of the wanted features [rows, S]; all of an autoencoder are computed, since they may compete. */
  private encode(vectors: Float32Array, rows: number): Float32Array {
    const { sae, features } = this.options
    const acts = new Float32Array(rows * features.length)
    const atOnce = rowsFor(sae.dSae)
    for (let row = 0; row < rows; row += atOnce) {
      const count = Math.min(atOnce, rows - row)
      const some = tf.tidy(() => {
        const saeIn = tf.tensor2d(vectors.subarray(row * sae.dIn, (row + count) * sae.dIn), [count, sae.dIn])
        return tf.gather(sae.encode(saeIn), tf.tensor1d(features, 'int32'), 1)
      })
      acts.set(some.dataSync<'float32'>(), row * features.length)
      some.dispose()
    }
    return acts
  }
}

/**
 * Passes over windows once. Memory: `neuronSumBytes` for the sums, and a few times 64 MB (or one window of neurons, if that is more).
 * @returns null when `onProgress` said to stop
 * @throws AppError activations-invalid
 */
export async function measureNeurons(options: NeuronOptions): Promise<NeuronFigures | null> {
  const { source, windows, contextSize, features, onProgress } = options
  const widths = widthsOf(source).slice(1)
  const neurons = widths.reduce((sum, width) => sum + width, 0)
  const pass = new Pass(options, widths)
  const blockRows = rowsFor(neurons)
  const order = Int32Array.from({ length: windowCount(windows) }, (_, w) => w)
  let held: HookActivations[] = []
  let rows = 0
  for (const found of walkHooks(source, windows, { order, contextSize, passTokens: blockRows })) {
    const length = found[0]?.norms.length ?? 0
    if (rows > 0 && rows + length > blockRows) {
      pass.take(held)
      held = []
      rows = 0
      if (!(await onProgress(pass.seen))) return null
    }
    held.push(found)
    rows += length
  }
  pass.take(held)
  if (!(await onProgress(pass.seen))) return null
  const best = Array.from(features, (_, i) => {
    const match: BestMatch = pass.sums.best(i)
    const place = match && placeOf(match.neuron, widths)
    return { place, r: match?.r ?? 0, firedTokens: pass.sums.fired[i] ?? 0 }
  })
  return { tokens: pass.tokens, neurons, best }
}
