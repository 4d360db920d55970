/** The element types of safetensors files: their sizes and how their bytes become typed arrays. */

/** Types that are read and written. */
export type Dtype = 'F16' | 'BF16' | 'F32' | 'F64' | 'I32' | 'I64' | 'U8' | 'BOOL'
export type TensorData =
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>

/** Bytes per element of every type of the format, also of those that are not read. */
export const ELEMENT_BYTES: ReadonlyMap<string, number> = new Map([
  ['BOOL', 1],
  ['U8', 1],
  ['I8', 1],
  ['F8_E4M3', 1],
  ['F8_E5M2', 1],
  ['F8_E8M0', 1],
  ['I16', 2],
  ['U16', 2],
  ['F16', 2],
  ['BF16', 2],
  ['I32', 4],
  ['U32', 4],
  ['F32', 4],
  ['I64', 8],
  ['U64', 8],
  ['F64', 8],
  ['C64', 8],
])

const READABLE: readonly string[] = ['F16', 'BF16', 'F32', 'F64', 'I32', 'I64', 'U8', 'BOOL'] satisfies Dtype[]
export const isReadable = (dtype: string): dtype is Dtype => READABLE.includes(dtype)

/** The array that elements of a stored type are read into. */
export function makeArray(dtype: Dtype, count: number): TensorData {
  switch (dtype) {
    case 'F16':
    case 'BF16':
    case 'F32':
      return new Float32Array(count)
    case 'F64':
      return new Float64Array(count)
    case 'I32':
      return new Int32Array(count)
    case 'I64':
      return new BigInt64Array(count)
    case 'U8':
    case 'BOOL':
      return new Uint8Array(count)
    default:
      return dtype satisfies never
  }
}

/**
 * Bit pattern of the float32 that equals a half-precision number (IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits).
 * NaN keeps its fraction bits.
 */
export function widenHalf(half: number): number {
  const sign = (half & 0x8000) << 16
  const exponent = (half >>> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13)
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13)
  if (fraction === 0) return sign
  // Subnormal: fraction * 2^-24, normalised by moving its leading one to bit 10.
  const shift = Math.clz32(fraction) - 21
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13)
}

/** Largest number that half precision holds. */
export const LARGEST_HALF = 65504

/**
 * The half-precision pattern nearest to a float32 pattern, ties to even. What is too large becomes infinite, NaN stays NaN.
 */
export function narrowHalf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  const rest = bits & 0x7fffffff
  if (rest > 0x7f800000) return sign | 0x7e00
  // From the middle between 65504 and the next power of two on.
  if (rest >= 0x477ff000) return sign | 0x7c00
  // From 2^-14 on: the exponent moves by 112, the fraction loses 13 bits; a carry into the exponent is right as it is.
  if (rest >= 0x38800000) return sign | ((rest - 0x38000000 + 0xfff + ((rest >>> 13) & 1)) >>> 13)
  if (rest <= 0x33000000) return sign
  // Subnormal: a multiple of 2^-24.
  const shift = 126 - (rest >>> 23)
  const whole = (rest & 0x7fffff) | 0x800000
  const kept = whole >>> shift
  const lost = whole & ((1 << shift) - 1)
  const middle = 1 << (shift - 1)
  return sign | (kept + (lost > middle || (lost === middle && (kept & 1) === 1) ? 1 : 0))
}

export const bytesOf = (data: ArrayBufferView): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

/**
 * Widens one chunk of whole elements that starts `atByte` bytes into the stored tensor.
 * Patterns are written as integers, so that no conversion can quiet a NaN.
 */
export function decodeInto(
  dtype: 'F16' | 'BF16',
  { chunk, data, atByte }: { chunk: Uint8Array<ArrayBuffer>; data: TensorData; atByte: number },
): void {
  const from = new Uint16Array(chunk.buffer, chunk.byteOffset, chunk.length / 2)
  const into = new Uint32Array(data.buffer, data.byteOffset + atByte * 2, from.length)
  if (dtype === 'BF16') for (let i = 0; i < from.length; i++) into[i] = (from[i] ?? 0) << 16
  else for (let i = 0; i < from.length; i++) into[i] = widenHalf(from[i] ?? 0)
}
