/** Spans of whole characters: nothing is lost, nothing is split, and broken bytes stay visible. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AtlasText, TokenPieces } from '../../src/shared/token-spans'
import { stretchSpans, toSpans } from '../../src/shared/token-spans'

/** A vocabulary of the 256 single bytes, and id 256 as a special token. */
function bytePieces(): TokenPieces {
  const name = new TextEncoder().encode('<s>')
  const bytes = new Uint8Array(256 + name.length)
  for (let byte = 0; byte < 256; byte++) bytes[byte] = byte
  bytes.set(name, 256)
  const offsets = Int32Array.from({ length: 258 }, (_, id) => (id === 257 ? bytes.length : id))
  const special = new Uint8Array(257)
  special[256] = 1
  return { bytes, offsets, special }
}

const pieces = bytePieces()
const textsOf = (ids: number[]) => toSpans(ids, null, pieces).map(({ text }) => text)
const bytesOf = (text: string) => Array.from(new TextEncoder().encode(text))

describe('toSpans', () => {
  it('gives every character of any text its own span', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), (text) => {
        const ids = bytesOf(text)
        const spans = toSpans(ids, null, pieces)
        expect(spans.map((span) => span.text)).toEqual(Array.from(text))
        expect(spans.flatMap((span) => span.ids)).toEqual(ids)
      }),
      { seed: 7, numRuns: 300 },
    )
  })
  it('keeps every id of any bytes, and never shows a replacement character', () => {
    const anyIds = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 40 })
    fc.assert(
      fc.property(anyIds, (ids) => {
        const spans = toSpans(ids, null, pieces)
        expect(spans.flatMap((span) => span.ids)).toEqual(ids)
        const known = ids.every((id) => id !== 0xef)
        if (known) expect(spans.some(({ text }) => text.includes('\ufffd'))).toBe(false)
      }),
      { seed: 11, numRuns: 500, examples: [[[0xe2, 0x82]], [[0xff]], [[0xf0, 0x9f, 256, 0xa6]]] },
    )
  })
  it('shows bytes that are no character as numbers', () => {
    expect(textsOf([0x61, 0xff, 0x62])).toEqual(['a', '⟨FF⟩', 'b'])
    expect(textsOf([0xed, 0x95])).toEqual(['⟨ED⟩', '⟨95⟩'])
  })
  it('does not join across a special token', () => {
    const spans = toSpans([0xed, 256, 0x95, 0x9c], null, pieces)
    expect(spans.map(({ text }) => text)).toEqual(['⟨ED⟩', '<s>', '⟨95⟩', '⟨9C⟩'])
    expect(spans.map((span) => span.special)).toEqual([false, true, false, false])
  })
  it('takes the largest value of a character, and none below zero', () => {
    const spans = toSpans(bytesOf('한a'), [1, 7, 2, -3], pieces)
    expect(spans.map(({ value }) => value)).toEqual([7, 0])
  })
  it('shows ids beyond the vocabulary by their number', () => {
    expect(textsOf([999, 0x61])).toEqual(['[999]', 'a'])
  })
})

describe('a stretch of a document that is cut within characters', () => {
  // Byte-level tokens: every byte is its own id.
  const pieces: TokenPieces = {
    bytes: Uint8Array.from({ length: 256 }, (_, byte) => byte),
    offsets: Int32Array.from({ length: 257 }, (_, byte) => byte),
    special: new Uint8Array(256),
  }
  const bytes = new TextEncoder().encode('한글 🦊 ok')
  const text: AtlasText = {
    pieces,
    ids: (_, start, length) => Int32Array.from(bytes.subarray(Math.max(0, start), Math.max(0, start + length))),
  }
  it.each(Array.from({ length: bytes.length }, (_, start) => start))(
    'shows whole characters from token %d on',
    (start) => {
      for (let length = 1; start + length <= bytes.length; length++) {
        const values = Float32Array.from({ length }, (_, at) => start + at + 1)
        const found = stretchSpans(text, { document: 0, start, length }, values)
        const shown = found.spans.map((span) => span.text).join('')
        expect(shown).not.toMatch(/⟨|\uFFFD/)
        const ids = found.spans.flatMap((span) => span.ids)
        expect(ids).toEqual(Array.from(bytes.subarray(found.start, found.start + ids.length)))
        expect(found.start <= start && found.start + ids.length >= start + length).toBe(true)
        expect(Math.max(...found.spans.map(({ value }) => value))).toBe(start + length)
      }
    },
  )
})
