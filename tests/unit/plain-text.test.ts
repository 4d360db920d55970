/** What people write: no control characters, bounded, and a plain sentence with the limit where it is exceeded. */
import { describe, expect, it } from 'vitest'
import { plainLine, plainLines } from '../../src/shared/plain-text'

const problem = (schema: ReturnType<typeof plainLine>, text: string) => schema.safeParse(text).error?.issues[0]?.message

describe('plain text', () => {
  it('turns control characters into spaces', () => {
    expect(plainLine(50).parse('a\u0000\u0007b\u001b[31mred\u007f\u0085')).toBe('a b [31mred')
    expect(plainLine(50).parse('one\r\n two\tthree\u2028four')).toBe('one  two three four')
    expect(plainLines(50).parse('one\r\ntwo\t\u0000three')).toBe('one\r\ntwo\t three')
  })

  it('leaves every script, emoji and HTML as they are', () => {
    for (const text of ['한국어 라벨', 'שלום \u200fمرحبا', '👩‍👩‍👧 é', '<img src=x onerror=alert(1)> &amp;'])
      expect(plainLine(100).parse(text)).toBe(text)
    // But for letters and accents, which are one character where there is one.
    expect(plainLine(100).parse('👩‍👩‍👧 e\u0301')).toBe('👩‍👩‍👧 é')
  })

  it('bounds how long a text may be, and that it may not be empty', () => {
    expect(plainLine(500).safeParse('x'.repeat(10 * 1024 * 1024)).error?.issues[0]).toMatchObject({ maximum: 500 })
    expect(problem(plainLine(500), 'x'.repeat(500))).toBeUndefined()
    expect(problem(plainLine(500, 1), ' \u0000 ')).toBe('it may not be empty')
    expect(plainLine(500).parse(' \u0000 ')).toBe('')
  })
})
