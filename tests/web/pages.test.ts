/** Every page on a workspace with and without features: accessible, in both languages and themes, down to 1024 x 640, no complaints. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HTML, makeWorkspace, writeHtml } from '../fixtures/synthetic-workspace'
import { missingHost, openWebHost, type Host } from '../journeys/hosts'

const PAGES = [
  '/library',
  '/models/1',
  '/runs',
  '/runs/new',
  '/features',
  '/features/1/7',
  '/features/1/7/with',
  '/features/1/7/with/1/9',
  '/features/map',
  '/features/map?feature=7',
  '/features/neurons',
  '/search',
  '/search/text',
  '/safety',
  '/catalog',
]
/** A page is loaded once in each language; theme and size are changed while it is open. */
const LOOKS = [
  { language: 'en', theme: 'light', width: 1440, height: 900, then: { theme: 'dark', width: 1024, height: 640 } },
  { language: 'ko', theme: 'dark', width: 1440, height: 900, then: { theme: 'light', width: 1024, height: 640 } },
]

type Look = Omit<(typeof LOOKS)[number], 'then'>

async function show(page: Page, path: string, look: Look): Promise<void> {
  await page.setViewportSize({ width: look.width, height: look.height })
  await page.evaluate(
    `localStorage.setItem('monoscope-language', '${look.language}'); localStorage.setItem('monoscope-theme', '${look.theme}')`,
  )
  await page.evaluate(`location.hash = '#${path}'`)
  await page.reload()
  await page.getByRole('heading', { level: 1 }).first().waitFor()
  await page.locator('.workspace').waitFor()
  await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' })
}

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map(({ id, nodes }) => ({ id, at: nodes.map(({ target }) => target.join(' ')) }))).toEqual([])
}

/** Nothing may be wider than the window; what is wide scrolls inside itself. */
async function expectFits(page: Page): Promise<void> {
  expect(
    await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth'),
  ).toBe(0)
}

type Visit = { path: string; look: (typeof LOOKS)[number]; kind: string }

/** Changes the look of an open page, as its own switch of the theme does. */
async function change(page: Page, { theme, width, height }: Omit<Look, 'language'>): Promise<void> {
  await page.setViewportSize({ width, height })
  await page.evaluate(
    `document.documentElement.classList.remove('light', 'dark'); document.documentElement.classList.add('${theme}')`,
  )
}

async function visit(host: Host, { path, look, kind }: Visit): Promise<void> {
  await show(host.page, path, look)
  await expectWell(host, path, look, kind)
  await change(host.page, look.then)
  await expectWell(host, path, { ...look, ...look.then }, kind)
}

async function expectWell(host: Host, path: string, look: Look, kind: string): Promise<void> {
  const folder = process.env.MONOSCOPE_SCREENSHOTS
  const name = `${kind}${path.replaceAll('/', '-')}-${look.language}-${look.theme}-${look.width}.png`
  if (folder) await host.page.screenshot({ path: join(folder, name) })
  await expectFits(host.page)
  await expectAccessible(host.page)
  expect(await host.page.locator('html').getAttribute('lang')).toBe(look.language)
  // A key that is shown instead of its text has dots and no spaces.
  expect(await host.page.locator('main').innerText()).not.toMatch(
    /\b(app|library|models|runs|features|search|safety|catalog)(\.\w+)+\b/,
  )
  expect(host.complaints).toEqual([])
}

describe.skipIf(missingHost('web') !== null)('pages', () => {
  let full: Host
  let empty: Host
  let workspace: string
  beforeAll(async () => {
    workspace = await makeWorkspace({ features: 300 })
    writeHtml(workspace, 9)
    full = await openWebHost(workspace)
    empty = await openWebHost()
  })
  afterAll(async () => {
    await full.close()
    await empty.close()
    rmSync(workspace, { recursive: true, force: true })
  })

  it('explain a figure and find a feature by its number, without complaints', async () => {
    const { page } = full
    await show(page, '/features/1/7', { language: 'en', theme: 'light', width: 1440, height: 900 })
    await page.getByRole('button', { name: 'Density' }).click()
    await page.getByText(/density = tokens with activation > 0/).waitFor()
    await expectAccessible(page)
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+k')
    await page.getByRole('dialog').getByRole('textbox').fill('12')
    await expectAccessible(page)
    await page.keyboard.press('Enter')
    await page.waitForURL(/#\/features\/1\/12$/)
    expect(full.complaints).toEqual([])
  })

  it('read an address that is put in while the list of features is open', async () => {
    const { page } = full
    await show(page, '/features', { language: 'en', theme: 'light', width: 1440, height: 900 })
    const matching = async () => Number(await page.locator('.toolbar > b').innerText())
    const all = await matching()
    await page.evaluate(`location.hash = '#/features?state=silent'`)
    await expect.poll(matching).toBeLessThan(all)
    const silent = await matching()
    await page.evaluate(`location.hash = '#/features?state=alive&sort=mean&order=descending'`)
    await expect.poll(matching).toBe(all - silent)
    expect(await page.getByRole('columnheader', { name: /^Mean/ }).getAttribute('aria-sort')).toBe('descending')
    await page.goBack()
    await expect.poll(matching).toBe(silent)
    await page.goForward()
    await expect.poll(matching).toBe(all - silent)
    await page.getByRole('columnheader', { name: /^Fit/ }).getByRole('button').click()
    await page.waitForURL(/sort=score/)
    expect(await matching()).toBe(all - silent)
    expect(full.complaints).toEqual([])
  })

  it('show HTML in labels, tags, notes and texts as the text that it is', async () => {
    const { page } = full
    for (const path of ['/features/1/9', '/features']) {
      await show(page, path, { language: 'en', theme: 'light', width: 1440, height: 900 })
      await page.getByText(HTML).first().waitFor()
      expect(await page.locator('img').count()).toBe(0)
    }
    expect(await page.title()).not.toBe('1')
    await page.goto(`${page.url().split('#')[0]}#/features/1/9`)
    const shown = page.locator('main')
    await shown.getByRole('heading', { name: HTML }).waitFor()
    expect(await shown.locator('.ctx').filter({ hasText: '<img src=x' }).count()).toBeGreaterThan(0)
    expect(full.complaints).toEqual([])
  })

  it('ask before something is removed', async () => {
    const { page } = full
    await show(page, '/library', { language: 'en', theme: 'dark', width: 1440, height: 900 })
    await page.getByRole('button', { name: 'Remove the text synthetic from the library' }).click()
    const dialog = page.getByRole('alertdialog')
    await dialog.waitFor()
    await expectAccessible(page)
    await dialog.getByRole('button', { name: 'Remove', exact: true }).click()
    // It is in use by an atlas, so it stays, and the page says why.
    await page.getByRole('alert').filter({ hasText: 'is used by' }).waitFor()
    expect(full.complaints).toEqual([])
  })

  describe.each(LOOKS)('$language, in both themes and sizes', (look) => {
    it.each(PAGES)('%s with features', (path) => visit(full, { path, look, kind: 'full' }))
    it.each(PAGES.filter((path) => !/^\/features\/(\d|.*\?)/.test(path)))('%s on an empty workspace', (path) =>
      visit(empty, { path, look, kind: 'empty' }),
    )
  })
})
