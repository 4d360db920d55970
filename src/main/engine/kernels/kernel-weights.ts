/** Parameters and moments inside the kernels' memory: put there and copied out in the shapes that everyone uses. */
import type { SaeShape, SaeWeights } from '../sae/architecture'
import * as places from './assembly/places'
import type { KernelMemory } from './kernel-memory'
import { paddedIn, panelsOf } from './layout'
import { packPanels, packRows, unpackPanels, unpackRows } from './panels'

/** Where each parameter lies; the three biases of gated take the places of b_enc, the threshold and one more. */
const PLACE_OF: Readonly<Record<string, number>> = {
  wEnc: places.ENC,
  wDec: places.DEC,
  bDec: places.B_DEC,
  bEnc: places.BIAS,
  bGate: places.BIAS,
  threshold: places.EXTRA1,
  bMag: places.EXTRA1,
  rMag: places.EXTRA2,
}

/** Parts of a place. */
export const PARAMETER = 0
export const FIRST_MOMENT = 1
export const SECOND_MOMENT = 2
export const GRADIENT = 3

export class KernelWeights {
  constructor(
    private readonly memory: KernelMemory,
    private readonly shape: SaeShape,
    private readonly names: readonly string[],
  ) {}

  /** One number per feature [dSae padded to eight], in place. */
  perFeature(name: string, part = PARAMETER): Float32Array {
    return this.memory.float32(placeOf(name) + part, panelsOf(this.shape.dSae) * places.LANES)
  }

  /** b_dec [dIn padded to four], in place. */
  bDec(part = PARAMETER): Float32Array {
    return this.memory.float32(places.B_DEC + part, paddedIn(this.shape.dIn))
  }

  put(weights: SaeWeights, part: number): void {
    const { dIn } = this.shape
    for (const name of this.names) {
      const from = weights[name]
      if (!from) throw new Error(`weight ${name} is missing`)
      if (name === 'wEnc') packPanels(this.all(name, part), from.data, this.shape)
      else if (name === 'wDec') packRows(this.all(name, part), from.data, dIn)
      else this.all(name, part).set(from.data)
    }
  }

  /** Copies. */
  take(part: number): SaeWeights {
    const { dIn, dSae } = this.shape
    const taken: SaeWeights = {}
    for (const name of this.names) {
      const all = this.all(name, part)
      if (name === 'wEnc') taken[name] = { shape: [dIn, dSae], data: unpackPanels(all, this.shape) }
      else if (name === 'wDec') taken[name] = { shape: [dSae, dIn], data: unpackRows(all, dSae, dIn) }
      else {
        const length = name === 'bDec' ? dIn : dSae
        taken[name] = { shape: [length], data: all.slice(0, length) }
      }
    }
    return taken
  }

  private all(name: string, part: number): Float32Array {
    const { dIn, dSae } = this.shape
    const features = panelsOf(dSae) * places.LANES
    if (name === 'bDec') return this.bDec(part)
    const isMatrix = name === 'wEnc' || name === 'wDec'
    return this.memory.float32(placeOf(name) + part, isMatrix ? features * paddedIn(dIn) : features)
  }
}

function placeOf(name: string): number {
  const place = PLACE_OF[name]
  if (place === undefined) throw new Error(`the kernels know no parameter ${name}`)
  return place
}
