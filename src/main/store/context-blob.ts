/**
 * All contexts of a feature in one blob, little-endian. Each takes 16 bytes and 3 more for every active token:
 *
 * | bytes | meaning                                                             |
 * | ----- | ------------------------------------------------------------------- |
 * | 1     | 255 for one of the strongest, else the interval it was drawn from   |
 * | 1     | tokens                                                              |
 * | 1     | the token that was found, from the first                            |
 * | 1     | active tokens, n                                                    |
 * | 4     | document                                                            |
 * | 4     | position of the first token in its document                         |
 * | 4     | float32 activation at the token that was found                      |
 * | n     | the active tokens, from the first                                   |
 * | 2 n   | their activations in half precision                                 |
 */

/** In place of an interval: one of the strongest. */
export const TOP = 255
const HEAD_BYTES = 16
const PAIR_BYTES = 3

/** Columns of contexts as files/atlas-file.ts has them; row n's active tokens are pairs [pairs[n], pairs[n + 1]). */
export type ContextColumns = {
  feature: Int32Array
  interval: Uint8Array
  document: Int32Array
  start: Int32Array
  length: Uint8Array
  marked: Uint8Array
  value: Float32Array
  pairs: Int32Array
  pairToken: Uint8Array
  /** Half-precision patterns. */
  pairValue: Uint16Array
}

export type StoredContext = {
  interval: number
  document: number
  start: number
  length: number
  marked: number
  value: number
  /** [length] activations. */
  values: Float32Array
}

/** Rows [first, end) of the columns. */
export function packContexts(columns: ContextColumns, first: number, end: number): Buffer {
  const pairs = (columns.pairs[end] ?? 0) - (columns.pairs[first] ?? 0)
  const blob = Buffer.alloc((end - first) * HEAD_BYTES + pairs * PAIR_BYTES)
  let at = 0
  for (let row = first; row < end; row++) {
    const [begin, stop] = [columns.pairs[row] ?? 0, columns.pairs[row + 1] ?? 0]
    blob.writeUInt8(columns.interval[row] ?? 0, at)
    blob.writeUInt8(columns.length[row] ?? 0, at + 1)
    blob.writeUInt8(columns.marked[row] ?? 0, at + 2)
    blob.writeUInt8(stop - begin, at + 3)
    blob.writeInt32LE(columns.document[row] ?? 0, at + 4)
    blob.writeInt32LE(columns.start[row] ?? 0, at + 8)
    blob.writeFloatLE(columns.value[row] ?? 0, at + 12)
    at += HEAD_BYTES
    for (let pair = begin; pair < stop; pair++) blob.writeUInt8(columns.pairToken[pair] ?? 0, at++)
    for (let pair = begin; pair < stop; pair++) at = blob.writeUInt16LE(columns.pairValue[pair] ?? 0, at)
  }
  return blob
}

/** In the order in which they were packed. */
export function unpackContexts(blob: Buffer): StoredContext[] {
  const contexts: StoredContext[] = []
  for (let at = 0; at + HEAD_BYTES <= blob.length;) {
    const length = blob.readUInt8(at + 1)
    const pairs = blob.readUInt8(at + 3)
    const values = new Float32Array(length)
    const tokensAt = at + HEAD_BYTES
    for (let k = 0; k < pairs; k++) {
      const half = blob.readUInt16LE(tokensAt + pairs + 2 * k)
      values[blob.readUInt8(tokensAt + k)] = halfValue(half)
    }
    contexts.push({
      ...{ interval: blob.readUInt8(at), length, marked: blob.readUInt8(at + 2), values },
      ...{ document: blob.readInt32LE(at + 4), start: blob.readInt32LE(at + 8), value: blob.readFloatLE(at + 12) },
    })
    at = tokensAt + pairs * PAIR_BYTES
  }
  return contexts
}

/** The number of a half-precision pattern of at least 0. */
function halfValue(half: number): number {
  const [exponent, fraction] = [(half >>> 10) & 0x1f, half & 0x3ff]
  return exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25)
}
