/** Where b_dec starts: at a middle of the data, for architectures that subtract it from their input. */

/** Weiszfeld's iteration has settled long before this on every data tried. */
const ITERATIONS = 50
/** Keeps the weight of a point that lies on the median finite. */
const SMALLEST_DISTANCE = 1e-6

/** Mean of rows [rows, dIn], float64 sums. */
export function meanOf(vectors: Float32Array, dIn: number): Float64Array {
  const sum = new Float64Array(dIn)
  vectors.forEach((x, at) => (sum[at % dIn] = (sum[at % dIn] ?? 0) + x))
  return sum.map((total) => (total * dIn) / vectors.length)
}

/** The point with the smallest sum of distances to the rows [rows, dIn], by Weiszfeld's algorithm (1937) from the mean. */
export function geometricMedian(vectors: Float32Array, dIn: number): Float64Array {
  let middle = meanOf(vectors, dIn)
  for (let turn = 0; turn < ITERATIONS; turn++) {
    const next = new Float64Array(dIn)
    let weights = 0
    for (let at = 0; at < vectors.length; at += dIn) {
      let squares = 0
      for (let j = 0; j < dIn; j++) squares += ((vectors[at + j] ?? 0) - (middle[j] ?? 0)) ** 2
      const weight = 1 / Math.max(Math.sqrt(squares), SMALLEST_DISTANCE)
      weights += weight
      for (let j = 0; j < dIn; j++) next[j] = (next[j] ?? 0) + weight * (vectors[at + j] ?? 0)
    }
    middle = next.map((sum) => sum / weights)
  }
  return middle
}
