/** Typed arrays as little-endian blobs and back, and JSON columns. Every platform Node runs on is little-endian. */
import type { z } from 'zod'

/** The bytes of a typed array, without copying. */
export const toBlob = (array: Float32Array | Int32Array | Float64Array): Buffer =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength)

// A Buffer from SQLite may start at an odd offset of a pool, so its bytes are copied into an array of their own.
const aligned = (blob: Uint8Array): ArrayBuffer => new Uint8Array(blob).buffer

export const float32Of = (blob: Uint8Array): Float32Array<ArrayBuffer> => new Float32Array(aligned(blob))
export const float64Of = (blob: Uint8Array): Float64Array<ArrayBuffer> => new Float64Array(aligned(blob))
export const int32Of = (blob: Uint8Array): Int32Array<ArrayBuffer> => new Int32Array(aligned(blob))

/** A JSON column through its schema; null stays null. */
export const jsonOf = <T extends z.ZodType>(schema: T, text: string | null): z.output<T> | null =>
  text === null ? null : schema.parse(JSON.parse(text))

/** A value for a JSON column; null stays null. */
export const toJson = (value: unknown): string | null => (value === null ? null : JSON.stringify(value))

/** UTC ISO time of now, as stored. */
export const now = (): string => new Date().toISOString()
