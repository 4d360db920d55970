/**
 * Which activations stay on when a fixed number may: the largest, only those above zero, and of equal values the one with the lower
 * index. In plain TypeScript because top-k operations of the backends leave ties open; the sparse kernels follow the same rule.
 */

const at = (values: Float32Array, index: number): number => values[index] ?? 0

/** The value that `k - 1` of the first `count` values are not below, 1 <= k <= count, by Hoare's selection; reorders `values`. */
function kthLargest(values: Float32Array, count: number, k: number): number {
  let [low, high] = [0, count - 1]
  const wanted = k - 1
  while (low < high) {
    const [a, b, c] = [at(values, low), at(values, (low + high) >> 1), at(values, high)]
    const pivot = Math.max(Math.min(a, b), Math.min(Math.max(a, b), c))
    let [i, j] = [low, high]
    while (i <= j) {
      while (at(values, i) > pivot) i++
      while (at(values, j) < pivot) j--
      if (i > j) break
      const kept = at(values, i)
      values[i++] = at(values, j)
      values[j--] = kept
    }
    if (wanted <= j) high = j
    else if (wanted >= i) low = i
    else break
  }
  return at(values, wanted)
}

/** Copies the k largest of values[first .. end) into `to`, which holds zeros there; `spare` has room for end - first values. */
function keepLargest(
  { values, to, spare }: { values: Float32Array; to: Float32Array; spare: Float32Array },
  { first, end, k, allowed }: { first: number; end: number; k: number; allowed: Uint8Array | null },
): void {
  const isCandidate = (index: number) => at(values, index) > 0 && (allowed === null || allowed[index - first] === 1)
  let count = 0
  for (let index = first; index < end; index++) if (isCandidate(index)) spare[count++] = at(values, index)
  if (k < 1 || count === 0) return
  const cut = count > k ? kthLargest(spare, count, k) : 0
  let equals = k
  if (count > k) for (let e = 0; e < count; e++) if (at(spare, e) > cut) equals -= 1
  for (let index = first; index < end; index++) {
    const value = at(values, index)
    if (value < cut || !isCandidate(index)) continue
    if (value === cut && equals-- <= 0) continue
    to[index] = value
  }
}

/**
 * The k largest of each row of `values` [rows, width], zeros elsewhere.
 * @param allowed [width] 1 for columns that take part; null for all
 */
export function largestPerRow(
  values: Float32Array,
  { width, k, allowed = null }: { width: number; k: number; allowed?: Uint8Array | null },
): Float32Array {
  const kept = { values, to: new Float32Array(values.length), spare: new Float32Array(width) }
  for (let first = 0; first < values.length; first += width) {
    keepLargest(kept, { first, end: first + width, k, allowed })
  }
  return kept.to
}

/** The k largest of all values, zeros elsewhere. */
export function largestOfAll(values: Float32Array, k: number): Float32Array {
  const kept = { values, to: new Float32Array(values.length), spare: new Float32Array(values.length) }
  keepLargest(kept, { first: 0, end: values.length, k, allowed: null })
  return kept.to
}
