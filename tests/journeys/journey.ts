/**
 * The journey of issue and product: add a model and a text, ask the model, train with live curves, open a feature, label it, tag it, find features
 * by two prompts and a negative one, put one into a safety category, export. One file for the Electron window and for a browser.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { expect } from 'vitest'
import type { Page } from 'playwright-core'
import { root, type Host } from './hosts'
import { compareWithNeighbour, visitNeighbour } from './neighbours'
import { picture } from './picture'

const shared = resolve(root, '../shared')
export const storiesModel = process.env.MONOSCOPE_TEST_MODEL ?? join(shared, 'models/stories260K')
export const storiesCorpus = process.env.MONOSCOPE_TEST_CORPUS ?? join(shared, 'models/stories260K/corpus.jsonl')

/** Why the journey cannot run, or null. */
export function missingStories(): string | null {
  if (existsSync(join(storiesModel, 'model.safetensors')) && existsSync(storiesCorpus)) return null
  const reason = `the test model ${storiesModel} is not there`
  process.stderr.write(`skipped: ${reason}\n`)
  return reason
}

/** Enough stories for a short training; all of them would only make the journey longer. */
const STORIES = 600

/** The first stories as a file beside the workspace, which goes when the workspace does. */
function someStories(workspace: string): string {
  const path = join(dirname(workspace), `${workspace.slice(-6)}-stories.jsonl`)
  writeFileSync(path, readFileSync(storiesCorpus, 'utf8').split('\n').slice(0, STORIES).join('\n'))
  return path
}

/** Training takes a while on two cores; single steps of the page do not. */
const TRAINING_MS = 180_000

const goTo = (page: Page, place: string) =>
  page.getByRole('navigation', { name: 'Areas' }).getByRole('link', { name: place }).click()

async function addModelAndText(page: Page, corpus: string): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor()
  await picture(page, '01-welcome')
  await page.getByLabel('Model folder').fill(storiesModel)
  await page.getByRole('button', { name: 'Add model' }).click()
  await page.getByText('stories260K').first().waitFor()
  await page.getByLabel('Text file or folder').fill(corpus)
  await page.getByRole('button', { name: 'Add text' }).click()
  await page.getByText(basename(corpus, '.jsonl'), { exact: true }).first().waitFor()
  await picture(page, '02-library')
}

/** Reads a text and continues a prompt: the first thing anyone does to know that a model works. */
async function tryModel(page: Page): Promise<void> {
  await page.getByRole('link', { name: /^Try the model/ }).click()
  await page.getByLabel('Text', { exact: true }).fill('Once upon a time there was a little dog')
  await page.getByRole('button', { name: /^Read/ }).click()
  await page.getByText('What comes next').waitFor()
  await page.locator('.tok.peak').focus()
  await page.keyboard.press('Home')
  await page.getByText('The first token has no loss').waitFor()
  await page.keyboard.press('ArrowRight')
  await page.getByText('Expected after this token').waitFor()
  await page.getByRole('button', { name: /^Continue/ }).click()
  await page.getByText('reached the number of tokens').waitFor()
  await picture(page, '02b-model')
  await goTo(page, 'Library')
}

async function train(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'New run' }).first().click()
  await page.getByLabel('Name of the run').fill('journey')
  await page.getByLabel('Width F').fill('256')
  await page.getByLabel('Training tokens').fill('150000')
  await picture(page, '03-new-run')
  await page.getByRole('button', { name: /Start/ }).click()
  await page.getByRole('heading', { name: 'journey' }).waitFor()
  // The curves are canvases; they are there while the run goes on.
  await page.locator('.uplot canvas').first().waitFor()
  await picture(page, '04-training')
  // The atlas follows the training by itself; its sentence is the last thing to come.
  await page.getByText(/features fire on [\d,]+ tokens of/).waitFor({ timeout: TRAINING_MS })
  await picture(page, '05-trained')
}

/** Opens the first feature of the list and answers its number. */
async function openFeature(page: Page): Promise<string> {
  await goTo(page, 'Features')
  const firstRow = page.getByRole('table').getByRole('row').nth(1)
  await firstRow.waitFor({ timeout: TRAINING_MS })
  await page.getByRole('button', { name: /^Max/ }).click()
  await page.locator('.tok.peak').first().waitFor()
  await picture(page, '06-features')
  await firstRow.locator('a').first().click()
  await page.getByRole('heading', { name: 'Contexts' }).waitFor()
  await page.getByRole('img', { name: /^Histogram of the logit weights of 512 tokens/ }).waitFor()
  await picture(page, '07-feature')
  await visitNeighbour(page)
  await compareWithNeighbour(page)
  await readIntervals(page)
  await tryOwnText(page)
  return /#\/features\/\d+\/(\d+)/.exec(page.url())?.[1] ?? ''
}

/** From the strongest contexts to random ones of an interval, and more of a document. */
async function readIntervals(page: Page): Promise<void> {
  await page.keyboard.press(']')
  await page.getByText(/Drawn at random: .* with an activation of/).waitFor()
  const row = page.locator('.ctx').first()
  await row.getByRole('button').first().click()
  await row.getByRole('button', { name: 'Read more of the document' }).click()
  await row.locator('.tokens.muted').first().waitFor()
  await picture(page, '07-feature-interval')
  await page.getByRole('button', { name: 'Together' }).click()
  await page.getByText(/random tokens of this feature on which the other one is active/).waitFor()
  await page.getByRole('tab').first().click()
}

/** One's own text on the page of a feature, and all features of a text. */
async function tryOwnText(page: Page): Promise<void> {
  const address = page.url()
  await page.getByLabel('Your own text').fill('Once upon a time, there was a little girl named Lily.')
  await page.getByText(/\d+ tokens · [\d.]+ s · (peak|silent)/).waitFor()
  await goTo(page, 'Search')
  await page.getByRole('link', { name: 'Features of a text' }).click()
  await page.getByLabel('Your own text').fill('Lily saw a big red ball.')
  await page.getByRole('button', { name: 'Read' }).click()
  await page.getByText(/\d+ active features/).waitFor()
  const rows = page.getByRole('table').getByRole('row')
  const all = await rows.count()
  await page
    .getByRole('button', { name: /: \d+ features active/ })
    .nth(3)
    .click()
  await page
    .getByText(/features active on/)
    .first()
    .waitFor()
  expect(await rows.count()).toBeLessThanOrEqual(all)
  await rows.nth(1).hover()
  await picture(page, '07-text')
  await page.goto(address)
  await page.getByRole('heading', { name: 'Contexts' }).waitFor()
}

/** A note and a list, taken back and put again. */
async function keepAndUndo(page: Page): Promise<void> {
  await page.getByLabel('A note on this feature').fill('Seen on the journey')
  await page.getByRole('button', { name: 'Keep' }).click()
  await page.getByText('Seen on the journey').waitFor()
  await page.getByRole('heading', { name: 'Contexts' }).click()
  await page.keyboard.press('l')
  await page.getByLabel('Name of the list').fill('Journey list')
  await page.keyboard.press('Enter')
  const inList = page.getByRole('button', { name: 'Take out of the list Journey list' })
  await inList.waitFor()
  await page.getByRole('heading', { name: 'Contexts' }).click()
  await page.keyboard.press('Control+z')
  await inList.waitFor({ state: 'detached' })
  await page.keyboard.press('Control+z')
  await page.getByText('Seen on the journey').waitFor({ state: 'detached' })
}

/** The filter of the feature list for a list of that name. */
const listFilter = (page: Page, list: string) => page.locator('label.check').filter({ hasText: list })

/** Makes the map, draws a lasso around half of it, puts what is inside into a list, finds it there, and takes it back. */
async function mapFeatures(page: Page): Promise<void> {
  const address = page.url()
  await goTo(page, 'Features')
  await page.getByRole('link', { name: 'Map', exact: true }).click()
  await page.getByRole('button', { name: 'Make the map' }).click()
  const map = page.getByRole('img', { name: /^Map of \d+ features in \d+ clusters/ })
  await map.waitFor({ timeout: TRAINING_MS })
  await page.getByRole('button', { name: 'Cluster', exact: true }).click()
  const box = await map.boundingBox()
  if (!box) throw new Error('the map is not on the screen')
  const [left, right] = [box.x + 3, box.x + box.width / 2]
  const [top, bottom] = [box.y + 3, box.y + box.height - 3]
  await page.keyboard.press('l')
  await page.mouse.move(left, top)
  await page.mouse.down()
  for (const [x, y] of [
    [right, top],
    [right, bottom],
    [left, bottom],
    [left, top],
  ] as const) {
    await page.mouse.move(x, y, { steps: 6 })
  }
  await page.mouse.up()
  const selection = page.getByRole('region', { name: 'Selected features' })
  const count = (await selection.getByRole('heading').innerText()).replace(' selected', '')
  expect(Number(count)).toBeGreaterThan(0)
  await picture(page, '07-map')
  await selection.getByRole('button', { name: 'Add to list' }).click()
  await selection.getByLabel('Name of the list').fill('From the map')
  await page.keyboard.press('Enter')
  const told = page.getByRole('status').filter({ hasText: 'From the map' })
  await told.waitFor()
  await goTo(page, 'Features')
  const filter = listFilter(page, 'From the map')
  await filter.getByRole('checkbox').check()
  await expect.poll(() => page.locator('.toolbar > b').innerText()).toBe(count)
  await picture(page, '07-map-list')
  await filter.getByRole('checkbox').uncheck()
  await page.keyboard.press('Control+z')
  await goTo(page, 'Library')
  await goTo(page, 'Features')
  await expect.poll(() => filter.locator('.n').innerText()).toBe('0')
  await page.goto(address)
  await page.getByRole('heading', { name: 'Contexts' }).waitFor()
}

async function labelAndTag(page: Page): Promise<void> {
  await page.keyboard.press('e')
  await page.getByLabel('Label of this feature').fill('A journey label 여행')
  await page.getByRole('button', { name: /^Save/ }).click()
  await page.getByRole('heading', { name: 'A journey label 여행' }).waitFor()
  await page.keyboard.press('t')
  await page.getByLabel('Name of the tag').fill('journey-tag')
  await page.keyboard.press('Enter')
  await page.getByText('journey-tag').first().waitFor()
  // Hovering a token shows its value.
  await page.locator('.tok.peak').first().hover()
  await page.getByRole('tooltip').first().waitFor()
  await picture(page, '08-labelled')
}

async function flag(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Put into a category' }).click()
  await page.getByLabel('Category').selectOption({ label: 'Deception and manipulation' })
  await page.getByLabel('Reason').fill('Only to see the form at work.')
  await page.getByRole('button', { name: 'Put into category' }).click()
  await page.getByText('Only to see the form at work.').waitFor()
}

async function search(page: Page): Promise<void> {
  await goTo(page, 'Search')
  await page.getByLabel('Prompt A', { exact: true }).fill('Once upon a time there was a little dog')
  await page.getByLabel('Prompt B', { exact: true }).fill('Tom wanted to play with the big dog')
  await page.getByLabel('Prompt C', { exact: true }).fill('She went to the park and')
  await page.getByRole('button', { name: 'Search', exact: true }).click()
  await page.getByText(/found, firing on/).waitFor()
  await page.getByRole('table').getByRole('row').nth(1).waitFor()
  await picture(page, '09-search')
}

async function reviewSafety(page: Page, featureIndex: string): Promise<void> {
  await goTo(page, 'Safety')
  await page
    .getByRole('button', { name: /Deception and manipulation/ })
    .or(page.getByRole('link', { name: /Deception and manipulation/ }))
    .first()
    .click()
  await page.getByText('Only to see the form at work.').waitFor()
  await page.getByRole('button', { name: `Show these: contexts of feature ${featureIndex}` }).click()
  await picture(page, '10-safety')
}

/** Exports and reads what was written. */
async function exportCatalog(page: Page, workspace: string, featureIndex: string): Promise<void> {
  await goTo(page, 'Catalog')
  await page.getByRole('button', { name: /^Export/ }).click()
  await page
    .getByText(/\.jsonl/)
    .first()
    .waitFor()
  await picture(page, '11-catalog')
  const path = /(\/\S+\.jsonl)/.exec(await page.locator('main').innerText())?.[1] ?? ''
  expect(path.startsWith(join(workspace, 'exports'))).toBe(true)
  const lines = readFileSync(path, 'utf8').trim().split('\n')
  const features = lines.slice(1).map((line) => JSON.parse(line) as Record<string, unknown>)
  const written = features.find((feature) => String(feature.featureIndex ?? feature.index) === featureIndex)
  expect(JSON.stringify(written)).toContain('A journey label 여행')
  expect(JSON.stringify(written)).toContain('journey-tag')
  expect(JSON.stringify(written)).toContain('deception-manipulation')
}

/** The whole way; ends with no console error, no uncaught error and no policy violation. */
export async function travel(host: Host): Promise<void> {
  host.page.setDefaultTimeout(15_000)
  const corpus = someStories(host.workspace)
  try {
    await steps(host, corpus)
  } catch (error) {
    await picture(host.page, '99-failed')
    throw error
  } finally {
    rmSync(corpus)
  }
  expect(host.complaints).toEqual([])
}

async function steps({ page, workspace }: Host, corpus: string): Promise<void> {
  await addModelAndText(page, corpus)
  await tryModel(page)
  await train(page)
  const featureIndex = await openFeature(page)
  await labelAndTag(page)
  await keepAndUndo(page)
  await mapFeatures(page)
  await flag(page)
  await search(page)
  await reviewSafety(page, featureIndex)
  await exportCatalog(page, workspace, featureIndex)
}
