/** Time left from the pace since the first look. */
import { describe, expect, it } from 'vitest'
import { clockTime, TimeLeft } from '../../src/main/cli/time-left'

describe('the time left', () => {
  it('is told once the pace is steady, and follows it', () => {
    const left = new TimeLeft()
    expect(left.secondsOf(0, 100, 0)).toBeNull()
    expect(left.secondsOf(10, 100, 1000)).toBeNull()
    expect(left.secondsOf(11, 100, 2000)).toBeNull()
    // 10 in 5 seconds, 80 to go.
    expect(left.secondsOf(20, 100, 6000)).toBeCloseTo(40, 9)
    expect(left.secondsOf(100, 100, 46_000)).toBe(0)
  })
  it('does not count what was done before it was looked at', () => {
    const left = new TimeLeft()
    left.secondsOf(900, 1000, 0)
    expect(left.secondsOf(910, 1000, 10_000)).toBeCloseTo(90, 9)
  })
  it('is nothing while nothing is gained', () => {
    const left = new TimeLeft()
    left.secondsOf(5, 10, 0)
    expect(left.secondsOf(5, 10, 60_000)).toBeNull()
  })
})

it.each([
  [0, '0:00'],
  [7.4, '0:07'],
  [59.6, '1:00'],
  [3599, '59:59'],
  [3723, '1:02:03'],
  [-1, '0:00'],
])('writes %d seconds as %s', (seconds, text) => {
  expect(clockTime(seconds)).toBe(text)
})
