/** A finished dictionary in memory: it encodes and decodes raw activations. */
import { tf } from '../tf'
import { architectureOf } from './registry'
import type { NamedTensors, SaeWeights } from './architecture'

export type Sae = {
  dIn: number
  dSae: number
  /** Raw activations [batch, dIn] to feature activations [batch, dSae]; the result is the caller's. */
  encode(saeIn: tf.Tensor): tf.Tensor
  /** Feature activations [batch, dSae] to raw activations [batch, dIn]; the result is the caller's. */
  decode(featureActs: tf.Tensor): tf.Tensor
  dispose(): void
}

/** Moves weights, as read from a folder, into the backend. */
export function createSae(
  stored: { architecture: string; dIn: number; dSae: number; weights: SaeWeights },
  path: string,
): Sae {
  const architecture = architectureOf(stored.architecture, path)
  const parameters: NamedTensors = {}
  for (const [name, { shape, data }] of Object.entries(stored.weights)) parameters[name] = tf.tensor(data, shape)
  return {
    dIn: stored.dIn,
    dSae: stored.dSae,
    encode: (saeIn) => architecture.encode(parameters, saeIn),
    decode: (featureActs) => architecture.decode(parameters, featureActs),
    dispose: () => tf.dispose(Object.values(parameters)),
  }
}
