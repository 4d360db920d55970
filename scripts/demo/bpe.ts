/** Learns a byte-level BPE vocabulary (Sennrich et al. 2016, on bytes as GPT-2) and writes it as tokenizer.json. */

/** How GPT-2 cuts text into pieces that no merge crosses; tokenizer.json calls it ByteLevel with use_regex. */
const PIECES = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu
const BYTES = 256
/** Scripts without spaces make pieces as long as sentences; for counting, these are cut. */
const LONGEST_PIECE = 48
/** A pair of symbols as one number. */
const SHIFT = 65536

export type Merge = readonly [left: number, right: number]

/** Bytes that ByteLevel writes as themselves; the others follow from U+0100 on. */
const isPrintable = (byte: number) =>
  (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255)

/** The character that stands for each byte in tokenizer.json. */
export function byteCharacters(): string[] {
  let next = BYTES
  return Array.from({ length: BYTES }, (_, byte) => String.fromCodePoint(isPrintable(byte) ? byte : next++))
}

/** Counts the pieces of texts. */
export class PieceCounts {
  private readonly counts = new Map<string, number>()

  add(text: string): void {
    for (const [piece] of text.matchAll(PIECES)) {
      for (let at = 0; at < piece.length; at += LONGEST_PIECE) {
        const part = piece.slice(at, at + LONGEST_PIECE)
        this.counts.set(part, (this.counts.get(part) ?? 0) + 1)
      }
    }
  }

  /** Pieces seen at least `least` times, as bytes, in an order that does not depend on the order of the texts. */
  words(least = 2): { symbols: number[]; count: number }[] {
    const encoder = new TextEncoder()
    return [...this.counts]
      .filter(([, count]) => count >= least)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([piece, count]) => ({ symbols: [...encoder.encode(piece)], count }))
  }
}

/** How often each pair of neighbours occurs, and in which words. */
class Pairs {
  private readonly counts = new Map<number, number>()
  private readonly places = new Map<number, Set<number>>()

  change(symbols: readonly number[], word: number, by: number): void {
    for (let i = 0; i + 1 < symbols.length; i++) {
      const pair = (symbols[i] ?? 0) * SHIFT + (symbols[i + 1] ?? 0)
      const count = (this.counts.get(pair) ?? 0) + by
      if (count > 0) this.counts.set(pair, count)
      else this.counts.delete(pair)
      if (by <= 0) continue
      const places = this.places.get(pair) ?? new Set()
      this.places.set(pair, places.add(word))
    }
  }

  /** The most frequent pair, of equals the one with the lowest numbers; null when none occurs twice. */
  best(): number | null {
    let [best, most] = [-1, 1]
    for (const [pair, count] of this.counts) {
      if (count > most || (count === most && best >= 0 && pair < best)) [best, most] = [pair, count]
    }
    return best < 0 ? null : best
  }

  /** Words that may hold the pair; it is asked for once, when the pair is merged. */
  takePlaces(pair: number): Set<number> {
    const places = this.places.get(pair) ?? new Set()
    this.places.delete(pair)
    return places
  }
}

function merged(symbols: readonly number[], [left, right]: Merge, to: number): number[] {
  const out: number[] = []
  for (let i = 0; i < symbols.length; i++) {
    if (symbols[i] === left && symbols[i + 1] === right) {
      out.push(to)
      i += 1
    } else out.push(symbols[i] ?? 0)
  }
  return out
}

/**
 * Merges the most frequent pair of neighbours again and again.
 * @param words changed in place
 * @param count merges wanted; fewer are made when no pair occurs twice
 * @returns merges in their order; merge i makes symbol 256 + i, symbols below are bytes
 */
export function learnMerges(words: { symbols: number[]; count: number }[], count: number): Merge[] {
  const pairs = new Pairs()
  words.forEach(({ symbols, count: times }, word) => pairs.change(symbols, word, times))
  const merges: Merge[] = []
  while (merges.length < count) {
    const pair = pairs.best()
    if (pair === null) break
    const merge: Merge = [Math.floor(pair / SHIFT), pair % SHIFT]
    for (const place of pairs.takePlaces(pair)) {
      const word = words[place]
      if (!word) continue
      const after = merged(word.symbols, merge, BYTES + merges.length)
      if (after.length === word.symbols.length) continue
      pairs.change(word.symbols, place, -word.count)
      pairs.change(after, place, word.count)
      word.symbols = after
    }
    merges.push(merge)
  }
  return merges
}

/** Puts the special token before every text, as in training. */
const beginning = (special: string) => ({
  type: 'TemplateProcessing',
  single: [{ SpecialToken: { id: special, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
  pair: [
    { SpecialToken: { id: special, type_id: 0 } },
    { Sequence: { id: 'A', type_id: 0 } },
    { Sequence: { id: 'B', type_id: 0 } },
  ],
  special_tokens: { [special]: { id: special, ids: [0], tokens: [special] } },
})

/**
 * tokenizer.json as Hugging Face's libraries read it.
 * @param special token with id 0 that stands between documents; bytes follow, then merges
 */
export function tokenizerJson(merges: readonly Merge[], special: string): Record<string, unknown> {
  const pieces = byteCharacters()
  const pairs = merges.map(([left, right]) => {
    const [a = '', b = ''] = [pieces[left], pieces[right]]
    pieces.push(a + b)
    return [a, b]
  })
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }
  return {
    ...{ version: '1.0', truncation: null, padding: null },
    added_tokens: [
      { id: 0, content: special, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
    ],
    ...{ normalizer: null, pre_tokenizer: byteLevel, post_processor: beginning(special), decoder: byteLevel },
    model: {
      ...{ type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null },
      ...{ fuse_unk: false, byte_fallback: false, ignore_merges: false },
      vocab: Object.fromEntries([special, ...pieces].map((piece, id) => [piece, id])),
      merges: pairs,
    },
  }
}
