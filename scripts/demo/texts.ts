/** The corpus as token ids: documents one after the other, each begun by the special token, and windows drawn from them. */
import { createReadStream, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import type { Tokenizer } from '../../src/main/engine/lm'
import type { Random } from '../../src/main/engine/train/random'

export const Document = z.object({ text: z.string(), source: z.string(), domain: z.string(), language: z.string() })
export type Document = z.infer<typeof Document>

/** Starts every document and every window. */
export const SPECIAL = '<|endoftext|>'
export const SPECIAL_ID = 0

/** Documents of a file with one JSON object a line. */
export async function* readLines(path: string): AsyncGenerator<Document> {
  for await (const line of createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity })) {
    if (line !== '') yield Document.parse(JSON.parse(line))
  }
}

/**
 * All documents as ids, kept in a file beside the state of the training so that later runs need not tokenise again.
 * @param cache is written when it is not there; it must be removed when corpus or tokenizer change
 */
export async function idsOf(path: string, tokenizer: Tokenizer, cache: string): Promise<Uint16Array> {
  if (existsSync(cache)) {
    const { buffer, byteOffset, byteLength } = readFileSync(cache)
    return new Uint16Array(buffer.slice(byteOffset, byteOffset + byteLength))
  }
  const parts: Uint16Array[] = []
  for await (const { text } of readLines(path))
    parts.push(Uint16Array.from([SPECIAL_ID, ...(await tokenizer.encode(text))]))
  const ids = new Uint16Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    ids.set(part, at)
    at += part.length
  }
  writeFileSync(cache, ids)
  return ids
}

/** Windows [rows, length + 1] from random places; as in the app, each begins with the special token. */
export function drawWindows(
  ids: Uint16Array,
  random: Random,
  { rows, length }: { rows: number; length: number },
): Int32Array {
  const windows = new Int32Array(rows * (length + 1)).fill(SPECIAL_ID)
  for (let row = 0; row < rows; row++) {
    const first = random.int(ids.length - length)
    windows.set(ids.subarray(first, first + length), row * (length + 1) + 1)
  }
  return windows
}
