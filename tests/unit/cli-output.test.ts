/** The progress bar of the command line, and what a terminal is not told. */
import { describe, expect, it, vi } from 'vitest'
import { bar, Output } from '../../src/main/cli/output'

describe('bar', () => {
  it.each([
    [0, `${'░'.repeat(20)}   0 %`],
    [0.5, `${'█'.repeat(10)}${'░'.repeat(10)}  50 %`],
    [0.999, `${'█'.repeat(20)}  99 %`],
    [1, `${'█'.repeat(20)} 100 %`],
  ])('draws %s', (share, drawn) => {
    expect(bar(share)).toBe(drawn)
  })

  it('stays inside its width for shares that are none', () => {
    for (const share of [Number.NaN, -1, Number.POSITIVE_INFINITY]) expect(bar(share)).toBe(bar(0))
    expect(bar(3)).toBe(bar(1))
  })
})

describe('lines for people', () => {
  const printed = (isJson: boolean, value: unknown, line: string) => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    new Output(isJson, 'en').result(value, line)
    const text = write.mock.calls.map(([part]) => String(part)).join('')
    write.mockRestore()
    return text
  }

  it('hold nothing that a terminal would obey', () => {
    const line = 'a\u001b]0;title\u0007b\u009b31mc\rd\u007f\te 안녕'
    expect(printed(false, null, line)).toBe('a\ufffd]0;title\ufffdb\ufffd31mc\ufffdd\ufffd\te 안녕\n')
  })

  it('are for programs as they were', () => {
    const token = '\u001b[2J\r\n'
    expect(JSON.parse(printed(true, { token }, ''))).toEqual({ token })
  })
})
