/** Reads and writes safetensors files: an 8-byte little-endian header length, a JSON header, then raw row-major data. */
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { z } from 'zod'
import { AppError } from '../../shared/errors'
import { writeFileAtomic } from './atomic'
import { bytesOf, decodeInto, ELEMENT_BYTES, isReadable, makeArray } from './element-types'
import type { Dtype, TensorData } from './element-types'
import { duplicateKey } from './json-keys'

export type { Dtype, TensorData } from './element-types'

/** Where one tensor lies; `begin` and `end` count bytes from the end of the header. */
export type TensorEntry = { dtype: string; shape: number[]; begin: number; end: number }
export type StoredTensor = { dtype: Dtype; shape: number[]; data: TensorData }

/** Entries [first, first + count) of the first dimension of a tensor. */
export type RowRange = { first: number; count: number }

/** An open file of which only the header has been read. */
export type SafetensorsFile = {
  readonly path: string
  readonly tensors: ReadonlyMap<string, TensorEntry>
  readonly metadata: Readonly<Record<string, string>>
  /** Where the data begin, in bytes from the start of the file. */
  readonly dataStart: number
  /**
   * F16, BF16 and F32 come as Float32Array (widened bit for bit), F64 as Float64Array, I32 as Int32Array, I64 as BigInt64Array,
   * U8 and BOOL as Uint8Array.
   * @param rows only entries [first, first + count) of the first dimension, as far as it goes; all unless given
   * @throws AppError file-corrupt (no such tensor, or a type that is not read), file-truncated
   */
  read(name: string, rows?: RowRange): Promise<StoredTensor>
  /** The same for a tensor that must be F16, BF16 or F32. */
  readFloat32(name: string, rows?: RowRange): Promise<{ shape: number[]; data: Float32Array<ArrayBuffer> }>
  close(): Promise<void>
}

const LENGTH_BYTES = 8
const MAX_HEADER_BYTES = 100 * 1024 * 1024
const CHUNK_BYTES = 4 * 1024 * 1024

const Entry = z.object({
  dtype: z.string(),
  shape: z.array(z.int().min(0)).max(64),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
})
const Metadata = z.record(z.string(), z.string())

const corrupt = (path: string, reason: string, cause?: unknown) =>
  new AppError('file-corrupt', { path, format: 'safetensors', reason }, { cause })

/** Fills `into` from byte `at` of the file; a file that ends before is truncated. */
export async function readExactly(handle: FileHandle, path: string, { into, at }: { into: Uint8Array; at: number }) {
  for (let done = 0; done < into.length;) {
    const length = Math.min(into.length - done, CHUNK_BYTES)
    const { bytesRead } = await handle.read(into, done, length, at + done)
    if (bytesRead === 0) throw new AppError('file-truncated', { path, expected: at + into.length, actual: at + done })
    done += bytesRead
  }
}

/** Product of the shape, or NaN when it is beyond exact integers. */
function countElements(shape: number[]): number {
  if (shape.includes(0)) return 0
  const count = shape.reduce((product, length) => product * length, 1)
  return Number.isSafeInteger(count) ? count : Number.NaN
}

function parseEntry(path: string, name: string, value: unknown): TensorEntry {
  const parsed = Entry.safeParse(value)
  if (!parsed.success) throw corrupt(path, `the entry of ${name} lacks a dtype, a shape or offsets`)
  const { dtype, shape, data_offsets: [begin, end] } = parsed.data // prettier-ignore
  const elementBytes = ELEMENT_BYTES.get(dtype)
  if (elementBytes === undefined) throw corrupt(path, `the tensor ${name} has the unknown type ${dtype}`)
  const bytes = countElements(shape) * elementBytes
  if (!Number.isSafeInteger(bytes) || end - begin !== bytes) {
    throw new AppError('weights-shape-absurd', { path, tensor: name, shape: shape.join(', '), bytes: end - begin })
  }
  return { dtype, shape, begin, end }
}

function refuseOverlap(path: string, tensors: Map<string, TensorEntry>): void {
  const filled = [...tensors].filter(([, entry]) => entry.end > entry.begin)
  filled.sort(([, a], [, b]) => a.begin - b.begin)
  filled.forEach(([name, entry], i) => {
    const before = filled[i - 1]
    if (before && before[1].end > entry.begin) {
      throw new AppError('weights-overlap', { path, first: before[0], second: name })
    }
  })
}

type Header = { tensors: Map<string, TensorEntry>; metadata: Record<string, string> }

/** @throws AppError file-corrupt, weights-shape-absurd, weights-overlap */
function parseHeader(path: string, bytes: Uint8Array): Header {
  let text: string
  let json: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    json = JSON.parse(text)
  } catch (error) {
    throw corrupt(path, 'its header is not JSON', error)
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw corrupt(path, 'its header is not a JSON object')
  }
  const twice = duplicateKey(text)
  if (twice !== null) throw corrupt(path, `its header names ${twice} twice`)
  const tensors = new Map<string, TensorEntry>()
  let metadata: Record<string, string> = {}
  for (const [name, value] of Object.entries(json)) {
    if (name === '__metadata__') {
      const parsed = Metadata.safeParse(value)
      if (!parsed.success) throw corrupt(path, 'its metadata are not texts')
      metadata = parsed.data
    } else tensors.set(name, parseEntry(path, name, value))
  }
  refuseOverlap(path, tensors)
  return { tensors, metadata }
}

/** Length of the header from the first bytes of a file of `size` bytes. @throws AppError weights-header-too-long, file-corrupt */
function headerLength(path: string, first: Uint8Array, size: number): number {
  const promised = new DataView(first.buffer, first.byteOffset).getBigUint64(0, true)
  if (promised > BigInt(size - LENGTH_BYTES)) {
    const exact = promised <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(promised) : promised.toLocaleString('en-US')
    throw new AppError('weights-header-too-long', { path, promised: exact, actual: size })
  }
  if (promised > BigInt(MAX_HEADER_BYTES)) throw corrupt(path, `its header would be ${promised} bytes long`)
  return Number(promised)
}

/** @throws AppError file-truncated when the file ends before its data do */
function withStart(path: string, header: Header, { dataStart, size }: { dataStart: number; size: number }) {
  let expected = dataStart
  for (const { end } of header.tensors.values()) expected = Math.max(expected, dataStart + end)
  if (expected > size) throw new AppError('file-truncated', { path, expected, actual: size })
  return { ...header, dataStart }
}

async function readHeader(handle: FileHandle, path: string): Promise<Header & { dataStart: number }> {
  const { size } = await handle.stat()
  if (size < LENGTH_BYTES) throw new AppError('file-truncated', { path, expected: LENGTH_BYTES, actual: size })
  const length = new Uint8Array(LENGTH_BYTES)
  await readExactly(handle, path, { into: length, at: 0 })
  const bytes = new Uint8Array(headerLength(path, length, size))
  await readExactly(handle, path, { into: bytes, at: LENGTH_BYTES })
  return withStart(path, parseHeader(path, bytes), { dataStart: LENGTH_BYTES + bytes.length, size })
}

type HeaderOnly = Pick<SafetensorsFile, 'tensors' | 'metadata' | 'dataStart'>

/**
 * The header of a file of `size` bytes that is read at once rather than awaited, checked as {@link openSafetensors} does.
 * @param read some bytes of it, all that were asked for
 * @throws AppError file-truncated, file-corrupt, weights-header-too-long, weights-overlap, weights-shape-absurd
 */
export function parseSafetensorsStart(
  path: string,
  size: number,
  read: (at: number, bytes: number) => Uint8Array,
): HeaderOnly {
  if (size < LENGTH_BYTES) throw new AppError('file-truncated', { path, expected: LENGTH_BYTES, actual: size })
  const length = headerLength(path, read(0, LENGTH_BYTES), size)
  return withStart(path, parseHeader(path, read(LENGTH_BYTES, length)), { dataStart: LENGTH_BYTES + length, size })
}

/** {@link parseSafetensorsStart} of a file that was read whole. */
export const parseSafetensors = (path: string, file: Uint8Array): HeaderOnly =>
  parseSafetensorsStart(path, file.length, (at, bytes) => file.subarray(at, at + bytes))

/** Where some rows of a tensor lie. */
function rowsOf(
  { dtype, shape: [length = 1, ...rest], begin, end }: TensorEntry,
  { first, count }: RowRange,
): TensorEntry {
  const rowBytes = length > 0 ? (end - begin) / length : 0
  const [from, to] = [Math.min(first, length), Math.min(first + count, length)]
  return { dtype, shape: [to - from, ...rest], begin: begin + from * rowBytes, end: begin + to * rowBytes }
}

class OpenFile implements SafetensorsFile {
  readonly tensors: ReadonlyMap<string, TensorEntry>
  readonly metadata: Readonly<Record<string, string>>
  readonly dataStart: number

  constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    header: Header & { dataStart: number },
  ) {
    this.tensors = header.tensors
    this.metadata = header.metadata
    this.dataStart = header.dataStart
  }

  async read(name: string, rows?: RowRange): Promise<StoredTensor> {
    const whole = this.tensors.get(name)
    if (!whole) throw corrupt(this.path, `it has no tensor ${name}`)
    const entry = rows ? rowsOf(whole, rows) : whole
    const { dtype, shape } = entry
    if (!isReadable(dtype)) throw corrupt(this.path, `the tensor ${name} has the type ${dtype}, which is not read`)
    const data = makeArray(dtype, countElements(shape))
    const start = this.dataStart + entry.begin
    if (dtype !== 'F16' && dtype !== 'BF16') {
      await readExactly(this.handle, this.path, { into: bytesOf(data), at: start })
      return { dtype, shape, data }
    }
    // One buffer for all pieces, so that nothing but the tensor grows with it; its length is a multiple of the elements'.
    const buffer = new Uint8Array(Math.min(CHUNK_BYTES, entry.end - entry.begin))
    for (let atByte = 0; atByte < entry.end - entry.begin; atByte += CHUNK_BYTES) {
      const chunk = buffer.subarray(0, Math.min(CHUNK_BYTES, entry.end - entry.begin - atByte))
      await readExactly(this.handle, this.path, { into: chunk, at: start + atByte })
      decodeInto(dtype, { chunk, data, atByte })
    }
    return { dtype, shape, data }
  }

  async readFloat32(name: string, rows?: RowRange): Promise<{ shape: number[]; data: Float32Array<ArrayBuffer> }> {
    const { shape, data, dtype } = await this.read(name, rows)
    if (!(data instanceof Float32Array)) throw corrupt(this.path, `the tensor ${name} has the type ${dtype}, not F32`)
    return { shape, data }
  }

  close(): Promise<void> {
    return this.handle.close()
  }
}

/** The error of a file that cannot be opened. */
export function readError(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error
  if (error.code === 'ENOENT') return new AppError('file-missing', { path }, { cause: error })
  return new AppError('file-unreadable', { path, reason: String(error.code) }, { cause: error })
}

/**
 * Opens a file and checks its whole header: bounds, sizes, names and overlaps, before anything is allocated for data.
 * @throws AppError file-missing, file-unreadable, file-truncated, file-corrupt, weights-header-too-long, weights-overlap,
 * weights-shape-absurd
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  let handle: FileHandle | undefined
  try {
    handle = await open(path, 'r')
    return new OpenFile(path, handle, await readHeader(handle, path))
  } catch (error) {
    await handle?.close()
    throw error instanceof AppError ? error : readError(error, path)
  }
}

/** What a file is written from. F16 and BF16 are given as their 16-bit patterns. */
export type TensorToWrite = { dtype: Dtype; shape: number[]; data: TensorData | Uint16Array }

const widthOf = (dtype: string) => ELEMENT_BYTES.get(dtype) ?? 1

/**
 * The length and header that a file begins with.
 * @param tensors in the order in which their data follow, widest elements first so that all are aligned
 */
export function safetensorsStart(
  tensors: readonly { name: string; dtype: Dtype; shape: number[] }[],
  metadata?: Record<string, string>,
): Uint8Array {
  let at = 0
  const entries = tensors.map(({ name, dtype, shape }) => {
    const entry = { dtype, shape, data_offsets: [at, (at += countElements(shape) * widthOf(dtype))] }
    return [name, entry] as const
  })
  const header: Record<string, unknown> = Object.fromEntries<unknown>([
    ...(metadata ? [['__metadata__', metadata] as const] : []),
    ...entries,
  ])
  const json = new TextEncoder().encode(JSON.stringify(header))
  const start = new Uint8Array(LENGTH_BYTES + Math.ceil(json.length / LENGTH_BYTES) * LENGTH_BYTES).fill(0x20)
  start.set(json, LENGTH_BYTES)
  new DataView(start.buffer).setBigUint64(0, BigInt(start.length - LENGTH_BYTES), true)
  return start
}

/**
 * Writes tensors under their names; atomic.
 * @throws AppError disk-full, workspace-unwritable; Error when data and shape do not agree
 */
export async function writeSafetensors(
  path: string,
  tensors: Record<string, TensorToWrite>,
  metadata?: Record<string, string>,
): Promise<void> {
  const named = Object.entries(tensors)
    .map(([name, tensor]) => ({ name, ...tensor }))
    .sort((a, b) => widthOf(b.dtype) - widthOf(a.dtype) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  for (const { name, dtype, shape, data } of named) {
    if (data.byteLength === countElements(shape) * widthOf(dtype)) continue
    throw new Error(`${name}: ${data.byteLength} bytes do not fill [${shape.join(', ')}]`)
  }
  await writeFileAtomic(path, [safetensorsStart(named, metadata), ...named.map(({ data }) => bytesOf(data))])
}
