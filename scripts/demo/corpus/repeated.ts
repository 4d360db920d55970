/** Blocks that came before, and held-out documents that share too much with what is trained on. */
import { createHash } from 'node:crypto'
import { normalForm } from './clean'

/** Shorter blocks repeat without meaning anything by it: headings, single words, braces. */
const SHORTEST = 40

/** Remembers blocks; short ones are always new. */
export class SeenBlocks {
  private readonly seen = new Set<string>()

  /** @returns whether the block is new, and from now on it is not */
  take(block: string): boolean {
    const form = normalForm(block)
    if (form.length < SHORTEST) return true
    const key = createHash('sha1').update(form).digest('base64')
    if (this.seen.has(key)) return false
    this.seen.add(key)
    return true
  }

  has(block: string): boolean {
    return this.seen.has(createHash('sha1').update(normalForm(block)).digest('base64'))
  }
}

/** Words, or single characters of scripts without spaces, in a row that count as shared. */
const SHINGLE = 12
/** Bits of a shingle's hash that must be 0 for it to be kept: one in sixteen is. The upper bits: the lower ones of this hash mix little. */
const LEFT_BITS = 28

function* shinglesOf(text: string): Generator<number> {
  const words = normalForm(text).match(/[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+/g) ?? []
  for (let at = 0; at + SHINGLE <= words.length; at++) {
    let hash = 2166136261
    for (let i = at; i < at + SHINGLE; i++) {
      for (const letter of words[i] ?? '') hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 16777619)
      hash = Math.imul(hash ^ 32, 16777619)
    }
    if (hash >>> LEFT_BITS === 0) yield hash
  }
}

/** What training documents say, by a sixteenth of their rows of twelve words. */
export class Shingles {
  private readonly known = new Set<number>()

  add(text: string): void {
    for (const shingle of shinglesOf(text)) this.known.add(shingle)
  }

  /** Share of a text's shingles that are known; 0 for a text too short to have any. */
  shareOf(text: string): number {
    let [all, shared] = [0, 0]
    for (const shingle of shinglesOf(text)) {
      all += 1
      if (this.known.has(shingle)) shared += 1
    }
    return all === 0 ? 0 : shared / all
  }
}
