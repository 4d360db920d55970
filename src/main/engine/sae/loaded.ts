/** A finished dictionary in memory: it encodes and decodes raw activations. */
import { AppError } from '../../../shared/errors'
import { tf } from '../tf'
import { gateActs } from './gated'
import { jump } from './jumprelu'
import { affine, decode, take } from './operations'
import { keepRows } from './topk'
import type { FinishedSae, NamedTensors } from './architecture'

export type Sae = {
  dIn: number
  dSae: number
  /** Raw activations [batch, dIn] to feature activations [batch, dSae]; the result is the caller's. */
  encode(saeIn: tf.Tensor): tf.Tensor
  /** Feature activations [batch, dSae] to raw activations [batch, dIn]; the result is the caller's. */
  decode(featureActs: tf.Tensor): tf.Tensor
  dispose(): void
}

/** A dictionary as read from a folder: nothing is subtracted from its input. `k` is that of topk. */
export type StoredSae = Pick<FinishedSae, 'architecture' | 'weights'> & {
  dIn: number
  dSae: number
  k?: number | null
}

function encoderOf({ architecture, k }: StoredSae, parameters: NamedTensors, path: string): Sae['encode'] {
  const weight = (name: string) => take(parameters, name)
  const hiddenPre = (saeIn: tf.Tensor) => affine(saeIn, weight('wEnc'), weight('bEnc'))
  switch (architecture) {
    case 'standard':
      return (saeIn) => affine(saeIn, weight('wEnc'), weight('bEnc'), 'relu')
    case 'topk': {
      if (!k) throw new AppError('sae-invalid', { path, reason: 'its number of active features, k, is missing' })
      return (saeIn) => tf.tidy(() => keepRows(hiddenPre(saeIn), k))
    }
    case 'jumprelu':
      return (saeIn) => tf.tidy(() => jump(hiddenPre(saeIn), weight('threshold')))
    case 'gated':
      return (saeIn) => tf.tidy(() => gateActs(parameters, tf.matMul(saeIn, weight('wEnc'))))
    default:
      throw new Error(`architecture ${String(architecture satisfies never)} is not supported`)
  }
}

/**
 * Moves weights, as read from a folder, into the backend.
 * @throws AppError sae-invalid when a topk has no k; `path` is where it was read
 */
export function createSae(stored: StoredSae, path: string): Sae {
  const parameters: NamedTensors = {}
  const encode = encoderOf(stored, parameters, path)
  for (const [name, { shape, data }] of Object.entries(stored.weights)) parameters[name] = tf.tensor(data, shape)
  return {
    dIn: stored.dIn,
    dSae: stored.dSae,
    encode,
    decode: (featureActs) => decode(parameters, featureActs),
    dispose: () => tf.dispose(Object.values(parameters)),
  }
}
