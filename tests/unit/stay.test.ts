/** When a process that stays leaves: after so many looks at which nobody asked, at a signal, and without its workspace. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { toSeconds, untilIdle } from '../../src/main/cli/stay'
import type { Monoscope } from '../../src/main/monoscope'

const IDLE_LOOKS = 3
const LOOK_EVERY_MS = 1

describe('a process that stays', () => {
  let folder = ''
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'monoscope-stay-'))))
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  /** @param states what each look finds: commands that ask, and whether something is being done; nothing after the last */
  async function looks(states: { commands?: number; isBusy?: boolean }[], signal = new AbortController().signal) {
    let count = -1
    const own = {
      commands: () => states[++count]?.commands ?? 0,
      isBusy: () => states[count]?.isBusy ?? false,
      workspace: { folder } as Monoscope['workspace'],
    }
    const options = { seconds: (IDLE_LOOKS * LOOK_EVERY_MS) / 1000, signal, lookEveryMs: LOOK_EVERY_MS }
    await untilIdle(own, options)
    return count + 1
  }

  it('counts from the last command and the last work on', async () => {
    expect(await looks([])).toBe(IDLE_LOOKS)
    expect(await looks([{}, {}, { commands: 1 }])).toBe(3 + IDLE_LOOKS)
    expect(await looks([{ commands: 1 }, {}, {}, { isBusy: true }])).toBe(4 + IDLE_LOOKS)
  })

  it('leaves at once at a signal and when its workspace is gone', async () => {
    expect(await looks([{ commands: 1 }], AbortSignal.abort())).toBe(0)
    rmSync(folder, { recursive: true })
    expect(await looks([{ commands: 1 }])).toBe(0)
  })

  it('is given a number of seconds', () => {
    expect([toSeconds('60'), toSeconds('0')]).toEqual([60, 0])
    for (const wrong of ['-1', 'long', '', '1e9']) expect(() => toSeconds(wrong)).toThrow()
  })
})
