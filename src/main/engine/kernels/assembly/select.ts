/** Keeps the largest of a list of candidates; of equal values the one with the lower index stays. */

/** A candidate: index, then value. */
export const CANDIDATE: usize = 8

@inline function valueAt(values: usize, at: i32): f32 {
  return load<f32>(values + (<usize>at << 2))
}

/** The value that `k - 1` others are not below, by Hoare's selection; `values` is reordered. */
export function kthLargest(values: usize, count: i32, k: i32): f32 {
  let low = 0
  let high = count - 1
  const wanted = k - 1
  while (low < high) {
    const a = valueAt(values, low)
    const b = valueAt(values, (low + high) >> 1)
    const c = valueAt(values, high)
    const pivot = max(min(a, b), min(max(a, b), c))
    let i = low
    let j = high
    while (i <= j) {
      while (valueAt(values, i) > pivot) i++
      while (valueAt(values, j) < pivot) j--
      if (i > j) break
      const kept = valueAt(values, i)
      store<f32>(values + (<usize>i << 2), valueAt(values, j))
      store<f32>(values + (<usize>j << 2), kept)
      i++
      j--
    }
    if (wanted <= j) high = j
    else if (wanted >= i) low = i
    else break
  }
  return valueAt(values, wanted)
}

/**
 * Leaves the k largest candidates, in the order they had. `spare` has room for their values.
 * @returns the smallest value kept
 */
export function keepLargest(candidates: usize, count: i32, k: i32, spare: usize): f32 {
  for (let e = 0; e < count; e++) {
    store<f32>(spare + (<usize>e << 2), load<f32>(candidates + <usize>e * CANDIDATE, 4))
  }
  const cut = kthLargest(spare, count, k)
  let above = 0
  for (let e = 0; e < count; e++) if (load<f32>(candidates + <usize>e * CANDIDATE, 4) > cut) above++
  let equals = k - above
  let kept: usize = candidates
  for (let e = 0; e < count; e++) {
    const from = candidates + <usize>e * CANDIDATE
    const value = load<f32>(from, 4)
    if (value < cut) continue
    if (value == cut) {
      if (equals == 0) continue
      equals--
    }
    store<u64>(kept, load<u64>(from))
    kept += CANDIDATE
  }
  return cut
}
