/** The labels that come with the demo are about the autoencoder that comes with it, each feature once, in two languages. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { sha256OfFile, WEIGHTS_FILE } from '../../src/main/files/saelens'
import { readDemoLabels } from '../../src/main/workspace/demo-labels'

const DEMO = resolve(import.meta.dirname, '../../resources/demo')

describe('labels of the demo', () => {
  it('belong to the weights that are shipped', async () => {
    const { sae, labels } = await readDemoLabels(DEMO)
    expect(sae).toBe(await sha256OfFile(join(DEMO, 'saes', '1-batchtopk', WEIGHTS_FILE)))
    expect(labels.length).toBeGreaterThanOrEqual(48)
    expect(labels.map(({ feature }) => feature)).toEqual([
      ...new Set(labels.map(({ feature }) => feature).toSorted((a, b) => a - b)),
    ])
    for (const { feature, en, ko } of labels) {
      expect(feature).toBeLessThan(4096)
      expect(ko).toMatch(/\p{sc=Hangul}/u)
      expect(Math.max(en.length, ko.length)).toBeLessThanOrEqual(200)
    }
  })

  it('are refused by name when they are damaged', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'monoscope-labels-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    await expect(readDemoLabels(folder)).rejects.toMatchObject({ code: 'demo-missing' })
    writeFileSync(join(folder, 'labels.json'), '{"labels": 3}')
    await expect(readDemoLabels(folder)).rejects.toMatchObject({ code: 'demo-missing' })
  })
})
