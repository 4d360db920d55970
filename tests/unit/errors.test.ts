/** Error sentences: both languages say the same things, and errors cross the wire whole. */
import { describe, expect, it } from 'vitest'
import {
  AppError,
  ERROR_SENTENCES,
  errorSentence,
  fromFailure,
  toFailure,
  type ErrorCode,
} from '../../src/shared/errors'

const codes = Object.keys(ERROR_SENTENCES) as ErrorCode[]
const placeholders = (sentence: string) => [...new Set(sentence.match(/\{\w+\}/g))].sort()

describe('sentences', () => {
  it.each(codes)('%s names the same details in both languages', (code) => {
    const { en, ko } = ERROR_SENTENCES[code]
    expect(placeholders(ko)).toEqual(placeholders(en))
    expect(ko).toMatch(/[가-힣]/)
    expect(en).toMatch(/\.$/)
  })

  it('fills numbers with separators and leaves unknown places visible', () => {
    expect(errorSentence('prompt-too-long', { tokens: 12345 })).toBe(
      'A prompt has 12,345 tokens; this model reads {limit} at most. Shorten it.',
    )
  })
})

describe('failures', () => {
  it('come back as they went', () => {
    const error = new AppError('in-use', { what: 'model', id: 3, users: 'a run' })
    expect(fromFailure(toFailure(error))).toEqual(error)
  })

  it('become internal when no one expected them', () => {
    expect(toFailure(new TypeError('oops'))).toMatchObject({ code: 'internal', details: { reason: 'oops' } })
    expect(fromFailure({ code: 'of-the-future', message: 'm', details: {} })).toMatchObject({
      code: 'internal',
      details: { reason: 'm' },
    })
    expect(fromFailure({ code: 'toString', message: 'm', details: {} }).code).toBe('internal')
  })
})
