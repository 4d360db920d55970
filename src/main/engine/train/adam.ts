/** Adam for a named set of tensors, with its moments as tensors so that a checkpoint can hold them. */
import { tf } from '../tf'
import type { NamedTensors } from '../sae/architecture'

const BETA1 = 0.9
const BETA2 = 0.999
/** Outside the square root; some libraries default to 1e-7. */
const EPSILON = 1e-8

/**
 * Adam of Kingma and Ba (2015), bias-corrected, no weight decay.
 * Owns the moments; `update` replaces the parameters it is given and disposes the old ones.
 */
export class Adam {
  /** Updates made so far. */
  step = 0
  readonly first: NamedTensors = {}
  readonly second: NamedTensors = {}

  constructor(parameters: NamedTensors) {
    for (const [name, parameter] of Object.entries(parameters)) {
      this.first[name] = tf.zeros(parameter.shape)
      this.second[name] = tf.zeros(parameter.shape)
    }
  }

  /**
   * One step. Consumes `gradients`.
   * @param clipNorm largest global gradient norm; null for no clipping
   */
  update(
    parameters: NamedTensors,
    gradients: NamedTensors,
    options: { learningRate: number; clipNorm: number | null },
  ): void {
    this.step += 1
    const rate = options.learningRate / (1 - BETA1 ** this.step)
    const correction = 1 / (1 - BETA2 ** this.step)
    const factor = options.clipNorm === null ? null : clipFactor(gradients, options.clipNorm)
    for (const name of Object.keys(parameters)) {
      const [p, m, v, g] = [parameters[name], this.first[name], this.second[name], gradients[name]]
      if (!p || !m || !v || !g) throw new Error(`Adam knows no parameter ${name}`)
      const next = tf.tidy(() => {
        const clipped = factor === null ? g : tf.mul(g, factor)
        const first = tf.add(tf.mul(m, BETA1), tf.mul(clipped, 1 - BETA1))
        const second = tf.add(tf.mul(v, BETA2), tf.mul(tf.square(clipped), 1 - BETA2))
        const denominator = tf.add(tf.sqrt(tf.mul(second, correction)), EPSILON)
        return { parameter: tf.sub(p, tf.mul(tf.div(first, denominator), rate)), first, second }
      })
      tf.dispose([p, m, v, g])
      parameters[name] = next.parameter
      this.first[name] = next.first
      this.second[name] = next.second
    }
  }

  dispose(): void {
    tf.dispose([...Object.values(this.first), ...Object.values(this.second)])
  }
}

/** What to multiply all gradients with so that their joint norm is at most `clipNorm`; null when it already is. */
function clipFactor(gradients: NamedTensors, clipNorm: number): number | null {
  const squares = Object.values(gradients).map((gradient) =>
    tf.tidy(() => tf.sum(tf.square(gradient)).dataSync()[0] ?? 0),
  )
  const norm = Math.sqrt(squares.reduce((sum, square) => sum + square, 0))
  return norm > clipNorm ? clipNorm / norm : null
}
