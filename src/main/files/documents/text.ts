/**
 * Documents of a plain text file. Lines that hold nothing but `<|endoftext|>` separate them; a file without such a line is cut at
 * blank lines, and paragraphs are joined until a document has at least 200 characters. A shorter rest is one of its own.
 */
import { AppError } from '../../../shared/errors'
import { readLines } from '../lines'

const SEPARATOR = '<|endoftext|>'
const SHORTEST_DOCUMENT = 200
/** A document without an end is cut at the next line, so that a file without separators in its second half cannot fill the memory. */
const LONGEST_DOCUMENT = 32 * 1024 * 1024

/** Lines of a document that is still growing. */
class Draft {
  private lines: string[] = []
  characters = 0

  add(line: string): void {
    this.lines.push(line)
    this.characters += line.length + 1
  }

  take(): string {
    const text = this.lines.join('\n').trim()
    this.lines = []
    this.characters = 0
    return text
  }
}

async function hasSeparator(path: string, signal?: AbortSignal): Promise<boolean> {
  for await (const { text } of readLines(path)) {
    if (signal?.aborted) throw new AppError('cancelled')
    if (text.trim() === SEPARATOR) return true
  }
  return false
}

/** @throws AppError file-missing, file-unreadable, dataset-binary, cancelled */
export async function* readText(path: string, signal?: AbortSignal): AsyncGenerator<string> {
  const isSeparated = await hasSeparator(path, signal)
  const draft = new Draft()
  const ends = (line: string) =>
    isSeparated ? line.trim() === SEPARATOR : line.trim() === '' && draft.characters >= SHORTEST_DOCUMENT
  for await (const { text } of readLines(path)) {
    if (ends(text)) yield draft.take()
    else draft.add(text)
    if (draft.characters >= LONGEST_DOCUMENT) yield draft.take()
  }
  yield draft.take()
}
