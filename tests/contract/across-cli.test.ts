/** Features of two autoencoders from the command line: the nearest ones of another size, with what was not compared said on stderr, and two beside each other. */
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

describe.skipIf(missingModel)('features neighbors --across and compare', () => {
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

    const compared = await say('features', 'compare', '3', '5', '--sae', 'small', '--other-sae', 'large')
    expect(compared.code).toBe(0)
    expect(compared.stdout).toMatch(/^feature\t3\t5\nname\t/)
    expect(compared.stdout).toMatch(/\ncosine of the decoder rows\t-?0\.\d{3}\n/)
    expect(compared.stdout).toMatch(
      /\nOn \d+ tokens around the strongest contexts of both: \d+ and \d+ active, \d+ on both, r (-?[01]\.\d{3}|-)\n/,
    )
    const pair = await say('--json', 'features', 'compare', '3', '5', '--sae', 'small', '--other-sae', 'large')
    expect(lastJson(pair.stdout)).toMatchObject({
      isSameSpace: true,
      features: { one: { saeId: 1, featureIndex: 3 }, other: { saeId: 2, featureIndex: 5 } },
    })

    const unknown = await say('features', 'neighbors', '64', '--across', '--sae', 'small')
    expect(unknown.code).not.toBe(0)
  }, 120_000)
})
