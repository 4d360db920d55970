/** From a feature to those that are like it: to the nearest and back, and both side by side. */
import { expect } from 'vitest'
import type { Page } from 'playwright-core'
import { picture } from './picture'

/** To the nearest feature and back. */
export async function visitNeighbour(page: Page): Promise<void> {
  const address = page.url()
  const link = page
    .locator('section', { has: page.getByRole('heading', { name: 'Neighbours' }) })
    .getByRole('link')
    .first()
  const nearest = (await link.textContent())?.trim() ?? ''
  await link.click()
  await page.waitForURL(new RegExp(`/features/\\d+/${nearest}$`))
  await page.goBack()
  await page.waitForURL(address)
  await page.getByRole('heading', { name: 'Contexts' }).waitFor()
}

/** Beside the nearest feature, the sides changed, and back. */
export async function compareWithNeighbour(page: Page): Promise<void> {
  const address = page.url()
  const featureIndex = /\/(\d+)$/.exec(address)?.[1] ?? ''
  await page
    .getByRole('link', { name: /^Compare with feature \d+$/ })
    .first()
    .click()
  await page.getByRole('heading', { name: 'Between the two' }).waitFor()
  await page.getByText(/[\d,]+ tokens read · [\d.]+ s/).waitFor()
  expect(await page.locator('.both .tokens').count()).toBeGreaterThan(2)
  await page.getByLabel('Your own text').fill('Once upon a time there was a dog.')
  await page.locator('.lines .tokens').nth(1).waitFor()
  await picture(page, '07-compare')
  await page.keyboard.press('Escape')
  await page.getByLabel('Your own text').blur()
  await page.keyboard.press('s')
  await page.waitForURL(new RegExp(`/with/\\d+/${featureIndex}$`))
  await page.getByText(/[\d,]+ tokens read · [\d.]+ s/).waitFor()
  await page.goto(address)
  await page.getByRole('heading', { name: 'Contexts' }).waitFor()
}
