/** Features of one's own text summed up by span of whole characters, and words cut for full-text search. */
import { describe, expect, it } from 'vitest'
import { indexedText, quoted, wordQuery } from '../../src/main/store/search-text'
import { bySpan, countFired } from '../../src/main/handlers/text'

/** Tokens 0 to 3; token 1 and 2 form one span. Feature 5 is on 0 and 2, 9 on 1 and 2, 7 on 3. */
const codes = {
  starts: Uint32Array.of(0, 1, 2, 4, 5),
  features: Uint32Array.of(5, 9, 5, 9, 7),
  values: Float32Array.of(1, 2, 3, 1.5, 4),
}
const spans = [{ ids: [1] }, { ids: [2, 3] }, { ids: [4] }]

describe('bySpan', () => {
  it('keeps the largest value of each feature on the tokens of a span', () => {
    const { starts, features, values } = bySpan(spans, codes)
    expect([...starts]).toEqual([0, 1, 3, 4])
    expect(features).toEqual([5, 9, 5, 7])
    expect([...values]).toEqual([1, 2, 3, 4])
  })

  it('has nothing for nothing', () => {
    const empty = { starts: new Uint32Array(1), features: new Uint32Array(), values: new Float32Array() }
    expect([...bySpan([], empty).starts]).toEqual([0])
  })
})

describe('words for full-text search', () => {
  it('cuts at everything but letters, digits and marks, in lower case', () => {
    expect(indexedText('Don’t stop — 3.5 kg\n<b>Über</b>')).toBe('don t stop 3 5 kg b über b')
    expect(indexedText('हिन्दी')).toBe('हिन्दी')
  })

  it('makes pairs of scripts without spaces, and keeps Hangul as words', () => {
    expect(indexedText('東京都 서울은')).toBe('東京 京都 都 서울은')
    expect(indexedText('abc漢字x')).toBe('abc 漢字 字 x')
  })

  it('asks for all words, the last one begun, and quotes what could be syntax', () => {
    expect(wordQuery('Stop  the "OR')).toBe('"stop" "the" "or"*')
    expect(wordQuery('東京都')).toBe('"東京" "京都"')
    expect(wordQuery('京')).toBe('"京"*')
    expect(wordQuery(' — ')).toBeNull()
    expect(quoted('a"b\0')).toBe('"a""b"')
  })
})

describe('countFired', () => {
  it('counts tokens, not the spans they are shown as', () => {
    // Two tokens that make one character, both with feature 4.
    const spans = [{ ids: [10, 11] }]
    const codes = {
      starts: Uint32Array.of(0, 1, 3),
      features: Uint32Array.of(4, 4, 9),
      values: Float32Array.of(1, 2, 3),
    }
    expect([...bySpan(spans, codes).features]).toEqual([4, 9])
    expect([...countFired(codes)]).toEqual([
      [4, { firedTokens: 2, largest: 2 }],
      [9, { firedTokens: 1, largest: 3 }],
    ])
  })
})
