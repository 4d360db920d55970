/** The tour in Chromium on served mode. */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { missingHost, openWebHost, type Host } from '../journeys/hosts'
import { tour } from '../journeys/tour'

describe.skipIf(missingHost('web') !== null)('the tour in a browser', () => {
  let host: Host
  beforeAll(async () => {
    host = await openWebHost()
  })
  afterAll(() => host.close())

  it('starts with one click and leads through the views', () => tour(host))
})
