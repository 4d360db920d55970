/** Reads a UTF-8 text file line by line with constant memory, and says where it stops being text. */
import { AppError } from '../../shared/errors'
import { readPlain } from './plain-stream'

/** A longer line is handed out in parts, so that a file without line breaks cannot fill the memory. */
const LONGEST_LINE_BYTES = 32 * 1024 * 1024
const CHUNK_BYTES = 1024 * 1024
const NEWLINE = 0x0a
const RETURN = 0x0d

export type Line = { text: string; number: number }

const isContinuation = (byte: number) => (byte & 0xc0) === 0x80

/** Offset of the first byte that is NUL or not part of a valid UTF-8 character; -1 when all are. */
export function firstInvalidByte(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const isValid = (from: number, to: number) => {
    try {
      decoder.decode(bytes.subarray(from, to))
      return true
    } catch {
      return false
    }
  }
  const nul = bytes.indexOf(0)
  const end = nul < 0 ? bytes.length : nul
  if (isValid(0, end)) return nul
  // Character by character: the lead byte says how long it must be.
  for (let at = 0; at < end;) {
    const lead = bytes[at] ?? 0
    const next = Math.min(end, at + (lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4))
    if (!isValid(at, next)) return at
    at = next
  }
  return nul
}

/** Start of the last character of `bytes`, so that a cut there splits none. */
export function lastCharacterStart(bytes: Uint8Array): number {
  let at = bytes.length - 1
  while (at > 0 && bytes.length - at < 4 && isContinuation(bytes[at] ?? 0)) at--
  return at
}

/** Cuts chunks into lines and checks that each is text. */
class LineCutter {
  private rest: Uint8Array = new Uint8Array(0)
  /** Byte offset of `rest` in the file. */
  private offset = 0
  private number = 0

  constructor(private readonly path: string) {}

  *push(chunk: Uint8Array): Generator<Line> {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk])
    let start = 0
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      yield this.line(bytes.subarray(start, end), 1)
      start = end + 1
    }
    this.rest = bytes.subarray(start)
    while (this.rest.length > LONGEST_LINE_BYTES) {
      const cut = Math.max(1, lastCharacterStart(this.rest.subarray(0, LONGEST_LINE_BYTES)))
      const part = this.rest.subarray(0, cut)
      this.rest = this.rest.subarray(cut)
      yield this.line(part, 0)
    }
  }

  /** The last line when the file does not end with a line break. */
  *end(): Generator<Line> {
    if (this.rest.length > 0) yield this.line(this.rest, 0)
  }

  private line(bytes: Uint8Array, breakBytes: number): Line {
    const invalid = firstInvalidByte(bytes)
    if (invalid >= 0) throw new AppError('dataset-binary', { path: this.path, offset: this.offset + invalid })
    const hasMark = this.offset === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
    this.offset += bytes.length + breakBytes
    this.number += 1
    const end = bytes.at(-1) === RETURN ? bytes.length - 1 : bytes.length
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(hasMark ? 3 : 0, end))
    return { text, number: this.number }
  }
}

/**
 * Lines of a file without their breaks (LF or CRLF); a byte-order mark is skipped, and a last line needs no break.
 * @throws AppError file-missing, file-unreadable, dataset-binary with the offset of the first byte that is not text
 */
export async function* readLines(path: string): AsyncGenerator<Line> {
  const cutter = new LineCutter(path)
  for await (const chunk of readPlain(path, CHUNK_BYTES)) yield* cutter.push(chunk)
  yield* cutter.end()
}
