/**
 * How texts are cut into words for full-text search. Runs of a script without spaces become overlapping pairs of characters, so that
 * any part of a run is found; everything else is cut where a letter or digit ends.
 */

/** Han, Hiragana, Katakana, Thai, Lao, Khmer and Myanmar are written without spaces. */
const UNSPACED = /([\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]+)/u
const WORDS = /[\p{L}\p{N}\p{M}]+/gu

const isUnspaced = (run: string) => UNSPACED.test(run)

/** Pairs of neighbouring characters, and the last one alone so that it can be found too. */
function pairsOf(run: string): string[] {
  const characters = Array.from(run)
  return characters.map((character, at) => character + (characters[at + 1] ?? ''))
}

const runsOf = (text: string): string[] =>
  (text.normalize('NFC').toLowerCase().match(WORDS) ?? []).flatMap((word) => word.split(UNSPACED).filter(Boolean))

/** The words of a text, as they are put into an index, separated by spaces. */
export const indexedText = (text: string): string =>
  runsOf(text)
    .flatMap((run) => (isUnspaced(run) ? pairsOf(run) : [run]))
    .join(' ')

/**
 * A query of FTS5 for texts with all words of `text`, the last of which may go on; null when there is no word in it. Words are quoted,
 * so that nothing in them is syntax.
 */
export function wordQuery(text: string): string | null {
  const runs = runsOf(text)
  const words = runs.flatMap((run, at) => {
    if (!isUnspaced(run)) return [quoted(run) + (at === runs.length - 1 ? '*' : '')]
    const pairs = pairsOf(run)
    // One character alone is the beginning of pairs.
    return pairs.length === 1 ? [`${quoted(run)}*`] : pairs.slice(0, -1).map(quoted)
  })
  return words.length === 0 ? null : words.join(' ')
}

/** A query of FTS5 for texts that contain `text`, in an index of trigrams; it needs three characters. */
export const quoted = (text: string): string => `"${text.replaceAll('"', '""').replaceAll('\0', '')}"`
