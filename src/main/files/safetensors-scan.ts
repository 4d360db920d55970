/** Reads a safetensors file once from end to end, in small pieces: feeds a hash and finds tensors with values that are no numbers. */
import { open } from 'node:fs/promises'
import type { Hash } from 'node:crypto'
import { readError, readExactly } from './safetensors'
import type { SafetensorsFile } from './safetensors'

/** A multiple of every element size; all that is held of the file at any time. */
const SLICE_BYTES = 4 * 1024 * 1024

/**
 * By stored type, for a word of 32 bits that holds one value or two: the exponent bits, and the lowest of each exponent. Where an
 * exponent has all bits set, the value is infinite or not a number, and adding its lowest bit carries into the place of the sign.
 */
const EXPONENTS = new Map([
  ['F16', { mask: 0x7c007c00, lowest: 0x04000400, signs: 0x80008000 }],
  ['BF16', { mask: 0x7f807f80, lowest: 0x00800080, signs: 0x80008000 }],
  ['F32', { mask: 0x7f800000, lowest: 0x00800000, signs: 0x80000000 }],
])

/** @param words whole values; what is beyond the last one must be zero */
function hasNonFinite(dtype: string, words: Uint32Array): boolean {
  const exponent = EXPONENTS.get(dtype)
  if (!exponent) return false
  const { mask, lowest, signs } = exponent
  let seen = 0
  for (const word of words) seen |= (word & mask) + lowest
  return (seen & signs) !== 0
}

/** A stretch of the file: a tensor to look at, or anything else. */
type Stretch = { begin: number; end: number; name: string | null; dtype: string }

/** The whole file in order, cut where a tensor to look at begins and ends. */
function stretchesOf(file: SafetensorsFile, size: number, looked: (name: string) => boolean): Stretch[] {
  const stretches: Stretch[] = []
  const found = [...file.tensors].filter(([name, entry]) => looked(name) && entry.end > entry.begin)
  found.sort(([, a], [, b]) => a.begin - b.begin)
  let at = 0
  const skipTo = (begin: number) => {
    if (begin > at) stretches.push({ begin: at, end: begin, name: null, dtype: '' })
  }
  for (const [name, entry] of found) {
    const [begin, end] = [file.dataStart + entry.begin, file.dataStart + entry.end]
    skipTo(begin)
    stretches.push({ begin, end, name, dtype: entry.dtype })
    at = end
  }
  skipTo(size)
  return stretches
}

/**
 * Takes every byte of the file, in order, into `hash`.
 * @param looked whether a tensor is looked at; types other than F16, BF16 and F32 never are
 * @returns names of tensors looked at that hold an infinite value or NaN
 * @throws AppError file-missing, file-unreadable, file-truncated
 */
export async function scanSafetensors(
  file: SafetensorsFile,
  hash: Hash,
  looked: (name: string) => boolean,
): Promise<string[]> {
  const { path } = file
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw readError(error, path)
  })
  try {
    const { size } = await handle.stat()
    const buffer = new Uint8Array(SLICE_BYTES)
    const broken: string[] = []
    for (const { begin, end, name, dtype } of stretchesOf(file, size, looked)) {
      let isBroken = false
      for (let at = begin; at < end; at += SLICE_BYTES) {
        const slice = buffer.subarray(0, Math.min(SLICE_BYTES, end - at))
        await readExactly(handle, path, { into: slice, at })
        hash.update(slice)
        // An odd number of 16-bit values leaves half a word.
        buffer.fill(0, slice.length, slice.length + 3)
        isBroken ||= hasNonFinite(dtype, new Uint32Array(buffer.buffer, 0, Math.ceil(slice.length / 4)))
      }
      if (isBroken && name !== null) broken.push(name)
    }
    return broken
  } finally {
    await handle.close()
  }
}
