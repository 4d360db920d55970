/** The tour in the real Electron window. */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { missingHost, openDesktopHost, type Host } from '../journeys/hosts'
import { tour } from '../journeys/tour'

describe.skipIf(missingHost('desktop') !== null)('the tour in the desktop window', () => {
  let host: Host
  beforeAll(async () => {
    host = await openDesktopHost()
  })
  afterAll(() => host.close())

  it('starts with one click and leads through the views', () => tour(host))
})
