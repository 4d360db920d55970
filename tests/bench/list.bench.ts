/** Click to rows: how long the feature list takes with 20,000 features, in Chromium on served mode. Budget: 100 ms. */
import { rmSync } from 'node:fs'
import { it } from 'vitest'
import { openWebHost } from '../journeys/hosts'
import { makeWorkspace } from '../fixtures/synthetic-workspace'

const FEATURES = 20_000
const ROUNDS = 21

it('shows the rows of the feature list', async () => {
  const workspace = await makeWorkspace({ features: FEATURES })
  const host = await openWebHost(workspace)
  const { page } = host
  try {
    await page.getByRole('link', { name: 'Features' }).waitFor()
    // The view's code is loaded once before; what is measured is the click of someone at work.
    await page.getByRole('link', { name: 'Features' }).click()
    await page.locator('.tok.peak').first().waitFor()
    const times: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      await page.getByRole('link', { name: 'Library' }).click()
      await page.locator('.tok.peak').first().waitFor({ state: 'detached' })
      times.push(await page.evaluate<number>(clickToRows))
    }
    times.sort((a, b) => a - b)
    const at = (share: number) => Number((times[Math.floor(share * (times.length - 1))] ?? 0).toFixed(1))
    process.stdout.write(
      `${JSON.stringify({ case: 'list', features: FEATURES, n: ROUNDS, medianMs: at(0.5), p95Ms: at(0.95) })}\n`,
    )
  } finally {
    await host.close()
    rmSync(workspace, { recursive: true, force: true })
  }
})

/** Runs in the page: from the click on "Features" to the frame in which rows with their contexts are drawn. */
const clickToRows = `new Promise((resolve) => {
  const link = [...document.querySelectorAll('nav a')].find((a) => a.hash === '#/features')
  const startedAt = performance.now()
  link.click()
  const look = () => {
    if (document.querySelectorAll('.tok.peak').length > 10) resolve(performance.now() - startedAt)
    else requestAnimationFrame(look)
  }
  look()
})`
