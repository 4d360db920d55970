/** The journey in Chromium on served mode. */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { missingHost, openWebHost, type Host } from '../journeys/hosts'
import { missingStories, travel } from '../journeys/journey'

describe.skipIf(missingHost('web') !== null || missingStories() !== null)('in a browser', () => {
  let host: Host
  beforeAll(async () => {
    host = await openWebHost()
  })
  afterAll(() => host.close())

  it('goes from a model folder to a catalog', () => travel(host))
})
