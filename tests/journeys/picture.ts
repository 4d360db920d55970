/** Screenshots of journeys. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'

/** Where screenshots go when they are wanted: MONOSCOPE_SCREENSHOTS=folder. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.MONOSCOPE_SCREENSHOTS
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`) })
}
