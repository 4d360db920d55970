/**
 * The token ids of a corpus, stored once for all atlases of it: a safetensors file with
 *
 * | tensor    | type | shape   | meaning                                                            |
 * | --------- | ---- | ------- | ------------------------------------------------------------------ |
 * | `ids`     | I32  | [N]     | token ids of all documents, one after another, without BOS         |
 * | `offsets` | I64  | [D + 1] | document d has ids[offsets[d], offsets[d + 1])                      |
 */
import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { AppError } from '../../shared/errors'
import { writeFileAtomic } from './atomic'
import { bytesOf } from './element-types'
import { parseSafetensorsStart, readError, safetensorsStart } from './safetensors'
import type { TensorEntry } from './safetensors'

const FORMAT = 'monoscope-tokens-1'
const ID_BYTES = Int32Array.BYTES_PER_ELEMENT
const PIECE_BYTES = 4 * 1024 * 1024

/** What decides the ids of a corpus; equal ones can share a file. */
export type TokensSource = {
  dataset: { sha256: string; textField: string | null; deduplicate: boolean }
  model: { sha256: string }
}

/** Name of the file for a corpus and a tokenizer. */
export function tokensFileName({ dataset, model }: TokensSource): string {
  const { sha256, textField, deduplicate } = dataset
  const key = JSON.stringify([sha256, textField, deduplicate, model.sha256])
  return `tokens-${createHash('sha256').update(key).digest('hex').slice(0, 32)}.safetensors`
}

/** @throws AppError disk-full, workspace-unwritable */
const write = (path: string, lengths: Float64Array, ids: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) =>
  writeFileAtomic(path, fileOf(lengths, ids))

/** The bytes of a file, one part after another. */
async function* fileOf(lengths: Float64Array, ids: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
  const offsets = new BigInt64Array(lengths.length + 1)
  lengths.forEach((length, d) => (offsets[d + 1] = (offsets[d] ?? 0n) + BigInt(length)))
  const tensors = [
    { name: 'offsets', dtype: 'I64' as const, shape: [offsets.length] },
    { name: 'ids', dtype: 'I32' as const, shape: [Number(offsets.at(-1))] },
  ]
  yield safetensorsStart(tensors, { format: FORMAT })
  yield bytesOf(offsets)
  yield* ids
}

/**
 * Writes the ids of some documents, one after another.
 * @throws AppError disk-full, workspace-unwritable
 */
export async function writeCorpusTokens(path: string, { ids, lengths }: { ids: Int32Array; lengths: Int32Array }) {
  await write(path, Float64Array.from(lengths), [bytesOf(ids)])
}

/**
 * Joins files of parts of a corpus, which hold its documents in order; no more than a piece of one is held at a time.
 * @throws AppError of those files; disk-full, workspace-unwritable
 */
export async function joinCorpusTokens(path: string, parts: readonly string[]): Promise<void> {
  const opened: CorpusTokens[] = []
  try {
    for (const part of parts) opened.push(CorpusTokens.open(part))
    const lengths = opened.flatMap((part) => Array.from({ length: part.documents }, (_, d) => part.lengthOf(d)))
    await write(path, Float64Array.from(lengths), piecesOf(opened))
  } finally {
    for (const part of opened) part.close()
  }
}

function* piecesOf(parts: readonly CorpusTokens[]): Generator<Uint8Array> {
  for (const part of parts) yield* part.pieces()
}

/** An open file; ids are read as they are asked for, documents' offsets are held (8 bytes each). */
export class CorpusTokens {
  private constructor(
    readonly path: string,
    private readonly fd: number,
    private readonly idsAt: number,
    private readonly offsets: Float64Array,
  ) {}

  /** @throws AppError file-missing, file-unreadable, file-truncated, file-corrupt */
  static open(path: string): CorpusTokens {
    let fd: number
    try {
      fd = openSync(path, 'r')
    } catch (error) {
      throw readError(error, path)
    }
    try {
      const read = (at: number, bytes: number) => readAt(fd, path, at, bytes)
      const { tensors, metadata, dataStart } = parseSafetensorsStart(path, fstatSync(fd).size, read)
      const corrupt = (reason: string) => new AppError('file-corrupt', { path, format: 'corpus tokens', reason })
      const [ids, offsets] = [tensors.get('ids'), tensors.get('offsets')]
      if (metadata.format !== FORMAT || ids?.dtype !== 'I32' || offsets?.dtype !== 'I64') {
        throw corrupt('its ids or offsets are missing')
      }
      const starts = Float64Array.from(readOffsets(offsets, dataStart, read), Number)
      if (!isAscendingTo(starts, (ids.end - ids.begin) / ID_BYTES)) throw corrupt('its offsets do not fit its ids')
      return new CorpusTokens(path, fd, dataStart + ids.begin, starts)
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  get documents(): number {
    return this.offsets.length - 1
  }

  /** Tokens of a document; 0 for one that is not there. */
  lengthOf(document: number): number {
    return (this.offsets[document + 1] ?? 0) - (this.offsets[document] ?? 0) || 0
  }

  /** Ids of tokens [start, start + length) of a document, as far as it goes. @throws AppError file-truncated */
  read(document: number, start: number, length: number): Int32Array<ArrayBuffer> {
    const count = Math.max(0, Math.min(length, this.lengthOf(document) - start))
    const first = (this.offsets[document] ?? 0) + start
    const bytes = readAt(this.fd, this.path, this.idsAt + first * ID_BYTES, count * ID_BYTES)
    return new Int32Array(bytes.buffer)
  }

  /** The bytes of all ids, a few megabytes at a time. */
  *pieces(): Generator<Uint8Array> {
    const bytes = (this.offsets.at(-1) ?? 0) * ID_BYTES
    for (let at = 0; at < bytes; at += PIECE_BYTES) {
      yield readAt(this.fd, this.path, this.idsAt + at, Math.min(PIECE_BYTES, bytes - at))
    }
  }

  close(): void {
    closeSync(this.fd)
  }
}

function readOffsets(
  entry: TensorEntry,
  dataStart: number,
  read: (at: number, bytes: number) => Uint8Array<ArrayBuffer>,
) {
  return new BigInt64Array(read(dataStart + entry.begin, entry.end - entry.begin).buffer)
}

function isAscendingTo(offsets: Float64Array, end: number): boolean {
  return offsets[0] === 0 && offsets.at(-1) === end && offsets.every((at, d) => d === 0 || at >= (offsets[d - 1] ?? 0))
}

function readAt(fd: number, path: string, at: number, bytes: number): Uint8Array<ArrayBuffer> {
  const into = new Uint8Array(bytes)
  for (let done = 0; done < bytes;) {
    const count = readSync(fd, into, done, bytes - done, at + done)
    if (count === 0) throw new AppError('file-truncated', { path, expected: at + bytes, actual: at + done })
    done += count
  }
  return into
}
