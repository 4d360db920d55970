/** The journey in the real Electron window. */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { missingHost, openDesktopHost, type Host } from '../journeys/hosts'
import { missingStories, travel } from '../journeys/journey'

describe.skipIf(missingHost('desktop') !== null || missingStories() !== null)('in the desktop window', () => {
  let host: Host
  beforeAll(async () => {
    host = await openDesktopHost()
  })
  afterAll(() => host.close())

  it('goes from a model folder to a catalog', () => travel(host))
})
