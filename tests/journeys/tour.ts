/** The one-click tour on an empty workspace, in either host: the training runs, its steps lead to the views, and it can be ended. */
import { expect } from 'vitest'
import type { Host } from './hosts'

/** Well above what a slow machine needs to read the model and the text. */
const PATIENCE_MS = 60_000

export async function tour({ page, complaints }: Host): Promise<void> {
  await page.getByRole('button', { name: 'Start the demo' }).click()
  await page.waitForURL(/#\/runs\/\d+$/, { timeout: PATIENCE_MS })
  const steps = page.getByRole('navigation', { name: 'Demo' })
  await steps.getByRole('link', { name: 'Watch the training seen' }).waitFor()
  await page.getByRole('heading', { name: 'monoscope-demo live' }).waitFor()
  await steps.getByRole('link', { name: 'Read features' }).click()
  await page.waitForURL(/#\/features/)
  // The bundled autoencoder is chosen; its atlas came with it and does not wait for the training.
  await page.getByRole('table').getByRole('row').nth(1).waitFor({ timeout: PATIENCE_MS })
  await page.reload()
  await steps.getByRole('link', { name: 'Try the model' }).click()
  await page.waitForURL(/#\/models\/\d+$/)
  await page.getByRole('heading', { name: 'monoscope-demo' }).waitFor()
  await steps.getByRole('button', { name: 'End the tour' }).click()
  await steps.waitFor({ state: 'detached' })
  expect(complaints).toEqual([])
}
