/** Cold start: from starting the built desktop app to a page that shows its workspace. Budget: 2 s under Xvfb. */
import { it } from 'vitest'
import { openDesktopHost } from '../journeys/hosts'

const ROUNDS = 5

it('starts', async () => {
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now()
    const host = await openDesktopHost()
    await host.page.locator('.workspace').waitFor()
    await host.page.getByRole('heading', { level: 1 }).waitFor()
    times.push(performance.now() - startedAt)
    await host.close()
  }
  times.sort((a, b) => a - b)
  const round = (ms: number | undefined) => Math.round(ms ?? 0)
  process.stdout.write(
    `${JSON.stringify({ case: 'start', n: ROUNDS, medianMs: round(times[2]), worstMs: round(times.at(-1)) })}\n`,
  )
})
