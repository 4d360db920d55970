/** The kernel's own product: tiles of six rows by eight features that never leave the registers. */
import { address, D_IN, INPUT, int, TILE_ROWS, UNIT_ROWS, unitRows } from './control'

/** Inputs of a unit in groups of six rows, side by side for every dimension: [group][dIn][6]. Rows that are not there are zero. */
export function packInputs(to: usize, unit: i32): void {
  const dIn = int(D_IN)
  const rows = unitRows(unit)
  const from = address(INPUT) + <usize>(unit * UNIT_ROWS) * (<usize>dIn << 2)
  const groups = (rows + TILE_ROWS - 1) / TILE_ROWS
  for (let group = 0; group < groups; group++) {
    for (let r = 0; r < TILE_ROWS; r++) {
      const row = group * TILE_ROWS + r
      let at = to + (<usize>(group * dIn * TILE_ROWS + r) << 2)
      const source = from + <usize>row * (<usize>dIn << 2)
      const isThere = row < rows
      for (let j = 0; j < dIn; j++) {
        store<f32>(at, isThere ? load<f32>(source + (<usize>j << 2)) : 0)
        at += TILE_ROWS << 2
      }
    }
  }
}

@inline function madd(a: v128, b: v128, c: v128): v128 {
  return f32x4.relaxed_madd(a, b, c)
}

/** Six rows times eight features plus the bias, into [6][8] at `to`. Twelve sums, two weights and one input fill the registers. */
export function tile(to: usize, x: usize, w: usize, dIn: i32, bias: usize): void {
  let a0 = v128.load(bias)
  let a1 = v128.load(bias, 16)
  let b0 = a0
  let b1 = a1
  let c0 = a0
  let c1 = a1
  let d0 = a0
  let d1 = a1
  let e0 = a0
  let e1 = a1
  let f0 = a0
  let f1 = a1
  const end = w + (<usize>dIn << 5)
  while (w < end) {
    let w0 = v128.load(w)
    let w1 = v128.load(w, 16)
    let s = v128.load32_splat(x)
    a0 = madd(s, w0, a0)
    a1 = madd(s, w1, a1)
    s = v128.load32_splat(x, 4)
    b0 = madd(s, w0, b0)
    b1 = madd(s, w1, b1)
    s = v128.load32_splat(x, 8)
    c0 = madd(s, w0, c0)
    c1 = madd(s, w1, c1)
    s = v128.load32_splat(x, 12)
    d0 = madd(s, w0, d0)
    d1 = madd(s, w1, d1)
    s = v128.load32_splat(x, 16)
    e0 = madd(s, w0, e0)
    e1 = madd(s, w1, e1)
    s = v128.load32_splat(x, 20)
    f0 = madd(s, w0, f0)
    f1 = madd(s, w1, f1)
    w0 = v128.load(w, 32)
    w1 = v128.load(w, 48)
    s = v128.load32_splat(x, 24)
    a0 = madd(s, w0, a0)
    a1 = madd(s, w1, a1)
    s = v128.load32_splat(x, 28)
    b0 = madd(s, w0, b0)
    b1 = madd(s, w1, b1)
    s = v128.load32_splat(x, 32)
    c0 = madd(s, w0, c0)
    c1 = madd(s, w1, c1)
    s = v128.load32_splat(x, 36)
    d0 = madd(s, w0, d0)
    d1 = madd(s, w1, d1)
    s = v128.load32_splat(x, 40)
    e0 = madd(s, w0, e0)
    e1 = madd(s, w1, e1)
    s = v128.load32_splat(x, 44)
    f0 = madd(s, w0, f0)
    f1 = madd(s, w1, f1)
    w += 64
    x += 48
  }
  v128.store(to, a0)
  v128.store(to, a1, 16)
  v128.store(to, b0, 32)
  v128.store(to, b1, 48)
  v128.store(to, c0, 64)
  v128.store(to, c1, 80)
  v128.store(to, d0, 96)
  v128.store(to, d1, 112)
  v128.store(to, e0, 128)
  v128.store(to, e1, 144)
  v128.store(to, f0, 160)
  v128.store(to, f1, 176)
}
