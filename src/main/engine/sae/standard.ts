/**
 * The paper's autoencoder: ReLU features and an L1 penalty weighted by decoder norms (reference/paper.md 2).
 *   f = relu(x W_enc + b_enc)    xhat = f W_dec + b_dec
 *   loss = mean_b ||x - xhat||^2 + lambda * mean_b sum_i f_i ||W_dec[i]||
 */
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core'
import { tf } from '../tf'
import type { Random } from '../train/random'
import type { Architecture, NamedTensors, SaeShape, SaeWeights, StepResult } from './registry'

const INITIAL_DECODER_NORM = 0.1
/** SAELens clamps row norms here when folding. */
const SMALLEST_NORM = 1e-8

type Parameters = { wEnc: Tensor2D; bEnc: Tensor1D; wDec: Tensor2D; bDec: Tensor1D }

function parametersOf(named: NamedTensors): Parameters {
  const pick = (name: string): Tensor => {
    const tensor = named[name]
    if (!tensor) throw new Error(`parameter ${name} is missing`)
    return tensor
  }
  return { wEnc: pick('wEnc').as2D(...pair(pick('wEnc'))), bEnc: pick('bEnc').as1D(), wDec: pick('wDec').as2D(...pair(pick('wDec'))), bDec: pick('bDec').as1D() }
}
