/** How long an answer took: reading and what came before it are told apart. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Output } from '../../src/main/cli/output'
import { lmHandlers } from '../../src/main/handlers/lm'
import type { Services } from '../../src/main/handlers/services'
import type { ReadTokens, Timed } from '../../src/main/jobs/messages'

const answer: ReadTokens & Timed = {
  ...{ ids: Int32Array.of(0), places: null, losses: Float32Array.of(-1), ranks: Int32Array.of(-1), seconds: 0.25 },
  ...{ nextIds: Int32Array.of(0), nextProbabilities: Float32Array.of(1) },
}

describe('the seconds of an answer', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
  afterEach(() => void vi.useRealTimers())

  it('are those of the reading; starting a worker and loading the model are told apart', async () => {
    const ask = () => {
      vi.advanceTimersByTime(7370)
      return Promise.resolve(answer)
    }
    const pieces = { bytes: new TextEncoder().encode('a'), offsets: Int32Array.of(0, 1), special: new Uint8Array(1) }
    const services = {
      ...{ store: { models: { get: () => ({ sha256: 'a' }) } }, warm: { ask } },
      pieces: { of: () => Promise.resolve(pieces) },
    } as unknown as Services
    const read = lmHandlers(services)['lm.read']
    const { seconds, readySeconds } = await read({ modelId: 1, text: 'a', top: 1 }, new AbortController().signal)
    expect(seconds).toBe(0.25)
    expect(readySeconds).toBeCloseTo(7.12, 9)
    expect(new Output(false, 'en').took({ seconds, readySeconds })).toBe(
      '0.25 s, after 7.1 s until the model was ready',
    )
    expect(new Output(false, 'ko').took({ seconds, readySeconds })).toBe('0.25초, 모델 준비까지 7.1초')
    expect(new Output(false, 'en').took({ seconds, readySeconds: 0.01 })).toBe('0.25 s')
  })
})
