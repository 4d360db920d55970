/** The map of features from the command line: parameters and clusters for people and for programs, and a refusal. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  buildEntries,
  lastJson,
  missingModel,
  modelFolder,
  removeEntries,
  smallCorpus,
  startHeadless,
} from '../fixtures/built'

let folder = ''
const say = (...args: string[]) => startHeadless(['--workspace', join(folder, 'workspace'), ...args]).ended

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'monoscope-map-cli-'))
  if (missingModel) return
  await buildEntries()
  await say('models', 'add', modelFolder)
  await say('datasets', 'add', smallCorpus(join(folder, 'stories.jsonl'), 60))
}, 120_000)
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
  await removeEntries()
})

const SETTINGS = ['--d-sae', '64', '--batch-tokens', '256', '--steps', '30', '--context', '64']

describe.skipIf(missingModel)('map', () => {
  it('needs an atlas', async () => {
    expect((await say('train', '--name', 'bare', ...SETTINGS, '--no-atlas')).code).toBe(0)
    const { code, stderr } = await say('map', 'bare')
    expect(code).toBe(1)
    expect(stderr).toContain('atlas')
  })

  it('says what it was made with and how large the clusters are', async () => {
    expect((await say('train', '--name', 'small', ...SETTINGS)).code).toBe(0)
    const { code, stdout } = await say('map', 'small')
    expect(code).toBe(0)
    expect(stdout).toMatch(/SAE 2 "small": map of \d+ features in \d+ clusters of [\d, ]+ features\./)
    expect(stdout).toContain('cosine, 15 neighbours, min_dist 0.05, spread 1, 500 epochs')
    expect(stdout).not.toMatch(/[{}]|NaN|undefined/)
    const found = lastJson((await say('--json', 'map')).stdout) as {
      features: number
      sizes: number[]
      clusters: number
    }
    expect(found.sizes).toHaveLength(found.clusters)
    expect(found.sizes.reduce((sum, size) => sum + size, 0)).toBe(found.features)
    expect((await say('--lang', 'ko', 'map')).stdout).toContain('군집')
  })
})
