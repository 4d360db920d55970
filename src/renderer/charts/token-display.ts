/** How a span of text becomes something to look at: share of the maximum, visible white space, and the text a copy should give. */
import type { TokenSpan } from '../../shared/domain'

/** From this share of the maximum on, in percent, the text takes the ink that is legible on the ground. */
export const INK_FROM_PERCENT = 30

/** Activation as a percentage of the feature's maximum, 0 to 100; 0 when there is no maximum to share. */
export function sharePercent(value: number, max: number): number {
  if (!(max > 0) || !(value > 0)) return 0
  return Math.min(100, (100 * value) / max)
}

/** A run of plain text, or one white-space or invisible character with the glyph that stands for it. */
export type Piece = { kind: 'text'; text: string } | { kind: 'mark'; glyph: string; original: string; breaks: boolean }

export type PieceOptions = {
  /** Show white space as glyphs. */
  whitespace: boolean
  /** Whether a newline may really break the line; in one-line rows it never does. */
  open: boolean
  /** Leading spaces are shown on tokens that fire. */
  fires: boolean
}

// Control, format and separator characters other than the plain space; the space itself is handled by its neighbours.
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Zs}]/u
// Joiners and variation selectors inside emoji and Indic text belong to a visible character.
const JOINERS = new Set(['\u200c', '\u200d'])

const hexName = (character: string) =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`

/** Whether the space at `at` carries information: it starts a firing token, or stands beside another white space. */
function isTellingSpace(characters: string[], at: number, fires: boolean): boolean {
  if (at === 0 && fires) return true
  const isSpace = (character: string | undefined) => character === ' ' || character === '\n' || character === '\t'
  return isSpace(characters[at - 1]) || isSpace(characters[at + 1]) || characters.length === 1
}

function markFor(character: string, options: PieceOptions): Piece | null {
  if (character === '\n') {
    const glyph = options.whitespace ? '↵' : options.open ? '' : ' '
    return { kind: 'mark', glyph, original: '\n', breaks: options.open }
  }
  if (!options.whitespace) return null
  if (character === '\t') return { kind: 'mark', glyph: '→', original: '\t', breaks: false }
  if (character === ' ') return { kind: 'mark', glyph: '·', original: ' ', breaks: false }
  return { kind: 'mark', glyph: hexName(character), original: character, breaks: false }
}

/**
 * Splits the text of one span into plain runs and marks. Joining `text` and `original` of the pieces gives the text back.
 */
export function toPieces(text: string, options: PieceOptions): Piece[] {
  const pieces: Piece[] = []
  const characters = Array.from(text)
  let run = ''
  const flush = () => {
    if (run) pieces.push({ kind: 'text', text: run })
    run = ''
  }
  characters.forEach((character, at) => {
    const plain =
      character === ' '
        ? !isTellingSpace(characters, at, options.fires)
        : !INVISIBLE.test(character) || JOINERS.has(character)
    const mark = plain ? null : markFor(character, options)
    if (!mark) {
      run += character
      return
    }
    flush()
    pieces.push(mark)
  })
  flush()
  return pieces
}

/** Text of a span as one short string with every white space visible, for tooltips and table heads. */
export function visibleText(text: string): string {
  return toPieces(text, { whitespace: true, open: false, fires: true })
    .map((piece) => (piece.kind === 'text' ? piece.text : piece.glyph))
    .join('')
}

/** The first span to show so that at most `characters` stand before the peak of a one-line row. */
export function firstShown(spans: readonly TokenSpan[], peak: number, characters: number): number {
  let left = characters
  let first = Math.max(0, peak)
  while (first > 0) {
    left -= spans[first - 1]?.text.length ?? 0
    if (left < 0) break
    first--
  }
  return first
}

/** Index of the strongest span; -1 when none fires. */
export function strongest(spans: readonly TokenSpan[]): number {
  let best = -1
  let value = 0
  spans.forEach((span, index) => {
    if (span.value > value) {
      best = index
      value = span.value
    }
  })
  return best
}

/** The text behind a piece of the page: marks carry the characters they stand for in `data-original`. */
export function originalText(node: Node): string {
  if (node instanceof Element) {
    const original = node.getAttribute('data-original')
    if (original !== null) return original
  }
  if (node.nodeType === Node.TEXT_NODE) return node.textContent ?? ''
  return Array.from(node.childNodes, originalText).join('')
}
