/** Adam over everything in one pass; a feature that was not active still takes the step its moments hold. */
import {
  address, B_DEC, BIAS, CORRECTION, D_IN, DEC, ENC, EXTRA1, EXTRA2, float, GATED, GRADIENT_SCALE, int, JUMPRELU, KIND, LANES, NORMS,
  PANELS, RATE, THREADS, TOUCHED, UNIT_DECODER,
} from './control'
import { scale, squares } from './vectors'

const BETA1: f32 = 0.9
const BETA2: f32 = 0.999
const EPSILON: f32 = 1e-8
/** Below this a decoder row has no direction that could be kept. */
const SMALLEST_NORM: f32 = 1e-20

/** Moves `bytes` of one parameter from offset `from`; without a gradient where `isTouched` is false. */
function move(array: i32, from: usize, bytes: usize, isTouched: bool): void {
  const parameters = address(array) + from
  const firsts = address(array + 1) + from
  const seconds = address(array + 2) + from
  const gradients = address(array + 3) + from
  const factor = f32x4.splat(float(GRADIENT_SCALE))
  const rate = f32x4.splat(float(RATE))
  const correction = f32x4.splat(float(CORRECTION))
  const beta1 = f32x4.splat(BETA1)
  const beta2 = f32x4.splat(BETA2)
  const rest1 = f32x4.splat(<f32>(1.0 - 0.9))
  const rest2 = f32x4.splat(<f32>(1.0 - 0.999))
  const epsilon = f32x4.splat(EPSILON)
  for (let at: usize = 0; at < bytes; at += 16) {
    let first = f32x4.mul(beta1, v128.load(firsts + at))
    let second = f32x4.mul(beta2, v128.load(seconds + at))
    if (isTouched) {
      const g = f32x4.mul(factor, v128.load(gradients + at))
      first = f32x4.relaxed_madd(rest1, g, first)
      second = f32x4.relaxed_madd(f32x4.mul(rest2, g), g, second)
    }
    v128.store(firsts + at, first)
    v128.store(seconds + at, second)
    const size = f32x4.add(f32x4.sqrt(f32x4.mul(second, correction)), epsilon)
    v128.store(parameters + at, f32x4.sub(v128.load(parameters + at), f32x4.div(f32x4.mul(rate, first), size)))
  }
}

@inline function isTouched(feature: i32): bool {
  return load<i32>(address(TOUCHED) + (<usize>feature << 2)) != 0
}

/** ||W_dec[i]|| of every feature of a panel, for the next step. */
export function measureNorms(panel: i32): void {
  const bytes = <usize>int(D_IN) << 2
  for (let lane = 0; lane < LANES; lane++) {
    const i = panel * LANES + lane
    const row = address(DEC) + <usize>i * bytes
    let norm = <f32>sqrt(squares(row, bytes))
    if (int(UNIT_DECODER) != 0 && norm > SMALLEST_NORM) {
      scale(row, bytes, 1 / norm)
      // Measured again, so that a state that was saved and restored has the same norms to the last bit.
      norm = <f32>sqrt(squares(row, bytes))
    }
    store<f32>(address(NORMS) + (<usize>i << 2), norm)
  }
}

/** Updates this thread's panels; the first thread takes b_dec as well. */
export function update(thread: i32): void {
  const dIn = int(D_IN)
  const rowBytes = <usize>dIn << 2
  const panelBytes = <usize>dIn << 5
  const panels = int(PANELS)
  for (let panel = thread; panel < panels; panel += int(THREADS)) {
    let isAny = false
    for (let lane = 0; lane < LANES; lane++) {
      const i = panel * LANES + lane
      isAny = isAny || isTouched(i)
      move(DEC, <usize>i * rowBytes, rowBytes, isTouched(i))
    }
    move(ENC, <usize>panel * panelBytes, panelBytes, isAny)
    move(BIAS, <usize>panel << 5, 32, true)
    if (int(KIND) == GATED || int(KIND) == JUMPRELU) move(EXTRA1, <usize>panel << 5, 32, true)
    if (int(KIND) == GATED) move(EXTRA2, <usize>panel << 5, 32, true)
    measureNorms(panel)
  }
  if (thread == 0) move(B_DEC, 0, rowBytes, true)
}
