/** Sums and products of rows of dIn numbers; dIn is padded to a multiple of four. */

@inline function madd(a: v128, b: v128, c: v128): v128 {
  return f32x4.relaxed_madd(a, b, c)
}

/** Sum of the four lanes. */
@inline export function lanesSum(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3))
}

/** to = a0 r0 + a1 r1 + a2 r2 + a3 r3, or added to what is there. */
export function combine4(
  to: usize, bytes: usize, adds: bool,
  r0: usize, r1: usize, r2: usize, r3: usize, a0: f32, a1: f32, a2: f32, a3: f32,
): void {
  const v0 = f32x4.splat(a0)
  const v1 = f32x4.splat(a1)
  const v2 = f32x4.splat(a2)
  const v3 = f32x4.splat(a3)
  if (!adds) {
    for (let at: usize = 0; at < bytes; at += 16) {
      let sum = f32x4.mul(v0, v128.load(r0 + at))
      sum = madd(v1, v128.load(r1 + at), sum)
      sum = madd(v2, v128.load(r2 + at), sum)
      v128.store(to + at, madd(v3, v128.load(r3 + at), sum))
    }
    return
  }
  for (let at: usize = 0; at < bytes; at += 16) {
    let sum = madd(v0, v128.load(r0 + at), v128.load(to + at))
    sum = madd(v1, v128.load(r1 + at), sum)
    sum = madd(v2, v128.load(r2 + at), sum)
    v128.store(to + at, madd(v3, v128.load(r3 + at), sum))
  }
}

/** to += a r */
export function combine1(to: usize, bytes: usize, r: usize, a: f32): void {
  const v = f32x4.splat(a)
  for (let at: usize = 0; at < bytes; at += 16) v128.store(to + at, madd(v, v128.load(r + at), v128.load(to + at)))
}

/** Products of x with four rows, stored as four neighbours at `to`. */
export function dot4(to: usize, x: usize, bytes: usize, r0: usize, r1: usize, r2: usize, r3: usize): void {
  let s0 = f32x4.splat(0)
  let s1 = f32x4.splat(0)
  let s2 = f32x4.splat(0)
  let s3 = f32x4.splat(0)
  for (let at: usize = 0; at < bytes; at += 16) {
    const v = v128.load(x + at)
    s0 = madd(v, v128.load(r0 + at), s0)
    s1 = madd(v, v128.load(r1 + at), s1)
    s2 = madd(v, v128.load(r2 + at), s2)
    s3 = madd(v, v128.load(r3 + at), s3)
  }
  store<f32>(to, lanesSum(s0))
  store<f32>(to, lanesSum(s1), 4)
  store<f32>(to, lanesSum(s2), 8)
  store<f32>(to, lanesSum(s3), 12)
}

export function dot1(x: usize, bytes: usize, r: usize): f32 {
  let sum = f32x4.splat(0)
  for (let at: usize = 0; at < bytes; at += 16) sum = madd(v128.load(x + at), v128.load(r + at), sum)
  return lanesSum(sum)
}

/** Sum of squares. */
export function squares(x: usize, bytes: usize): f64 {
  return <f64>dot1(x, bytes, x)
}

/** to = to * factor */
export function scale(to: usize, bytes: usize, factor: f32): void {
  const v = f32x4.splat(factor)
  for (let at: usize = 0; at < bytes; at += 16) v128.store(to + at, f32x4.mul(v, v128.load(to + at)))
}

/** to = a - b */
export function subtract(to: usize, bytes: usize, a: usize, b: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) v128.store(to + at, f32x4.sub(v128.load(a + at), v128.load(b + at)))
}

/** to = -a */
export function negate(to: usize, bytes: usize, a: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) v128.store(to + at, f32x4.neg(v128.load(a + at)))
}
