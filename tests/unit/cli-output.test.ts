/** The progress bar of the command line. */
import { describe, expect, it } from 'vitest'
import { bar } from '../../src/main/cli/output'

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
