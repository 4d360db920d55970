/** How features split, from the command line: the nearest ones of another size, with what was not compared said on stderr. */
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
  folder = await mkdtemp(join(tmpdir(), 'monoscope-across-cli-'))
  if (missingModel) return
  await buildEntries()
  await say('models', 'add', modelFolder)
  await say('datasets', 'add', smallCorpus(join(folder, 'stories.jsonl'), 60))
}, 120_000)
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
  await removeEntries()
})

const SETTINGS = ['--batch-tokens', '256', '--steps', '30', '--context', '64']

describe.skipIf(missingModel)('features neighbors --across', () => {
  it('lists those of the other autoencoder, with its name and size', async () => {
    expect((await say('train', '--name', 'small', '--d-sae', '64', ...SETTINGS)).code).toBe(0)
    const alone = await say('features', 'neighbors', '3', '--across')
    expect(alone).toMatchObject({ code: 0, stdout: 'There is nothing here yet.\n' })
    expect(alone.stderr).toContain('No other autoencoder of this model reads the same hook.')

    expect((await say('train', '--name', 'large', '--d-sae', '128', ...SETTINGS)).code).toBe(0)
    const { code, stdout } = await say('features', 'neighbors', '3', '--across', '--sae', 'small')
    expect(code).toBe(0)
    const rows = stdout.trim().split('\n')
    expect(rows).toHaveLength(10)
    const cosines = rows.map((row) => {
      expect(row).toMatch(/^2\tlarge\t128\t\d+\t-?[01]\.\d{3}\t/)
      return Number(row.split('\t')[4])
    })
    expect(cosines).toEqual(cosines.toSorted((a, b) => b - a))
    const json = lastJson((await say('--json', 'features', 'neighbors', '3', '--across', '--sae', 'large')).stdout)
    expect(json).toMatchObject({ saeId: 1, name: 'small', dSae: 64 })

    const unknown = await say('features', 'neighbors', '64', '--across', '--sae', 'small')
    expect(unknown.code).not.toBe(0)
  }, 120_000)
})
