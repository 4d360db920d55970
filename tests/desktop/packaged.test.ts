/** The journey in the packaged app: its own Node for workers, nothing of the checkout. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missingHost, openDesktopHost, root, type Host } from '../journeys/hosts'
import { missingStories, travel } from '../journeys/journey'

const isLinux = process.platform === 'linux'

describe.skipIf(!isLinux || missingHost('desktop') !== null || missingStories() !== null)('in the packaged app', () => {
  let host: Host
  beforeAll(async () => {
    const made = spawnSync(process.execPath, [join(root, 'scripts/package.mjs')], { encoding: 'utf8' })
    expect(made.stderr).toContain('monoscope: made ')
    host = await openDesktopHost(made.stdout.trim())
  })
  afterAll(() => host.close())

  it('goes from a model folder to a catalog', () => travel(host))
})
