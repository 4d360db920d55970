/** Features against neurons from the command line: the share and the table for people and for programs, and refusals. */
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
  folder = await mkdtemp(join(tmpdir(), 'monoscope-neurons-cli-'))
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

describe.skipIf(missingModel)('neurons', () => {
  it('prints the share, and the best neuron of every drawn feature', async () => {
    expect((await say('train', '--name', 'small', ...SETTINGS)).code).toBe(0)
    const { code, stdout } = await say('neurons', 'small', 'stories', '--features', '9', '--tokens', '2000')
    expect(code).toBe(0)
    const lines = stdout.trim().split('\n')
    expect(lines[0]).toMatch(
      /^SAE 1 "small": [\d.]+ % of 9 features \(drawn from \d+\) have no neuron with \|r\| above 0\.3\.$/,
    )
    expect(lines[1]).toMatch(/Pearson correlation with [\d,]+ MLP neurons of \d layers over [\d,]+ tokens of stories/)
    expect(lines.slice(2)).toHaveLength(9)
    for (const line of lines.slice(2)) expect(line).toMatch(/^\d+\t-?[01]\.\d{3}\tlayer \d, neuron \d+\t/)
    expect(stdout).not.toMatch(/[{}]|NaN|undefined/)

    const [index = ''] = lines[2]?.split('\t') ?? []
    expect((await say('features', 'show', index)).stdout).toMatch(
      /best neuron: layer \d, neuron \d+, r -?[01]\.\d{3} over/,
    )
    const shown = lastJson((await say('--json', 'features', 'show', index)).stdout) as { neuron: { place: object } }
    expect(shown.neuron.place).not.toBeNull()
    const drawn = new Set(lines.slice(2).map((line) => Number(line.split('\t')[0])))
    const other = Array.from({ length: 64 }, (_, i) => i).find((i) => !drawn.has(i)) ?? 0
    expect((await say('features', 'show', String(other))).stdout).toContain('not among the 9 features')
    expect((await say('--lang', 'ko', 'features', 'show', index)).stdout).toContain('가장 가까운 뉴런')
  }, 120_000)

  it('refuses an autoencoder without an atlas, and a text that is not there', async () => {
    expect((await say('train', '--name', 'bare', ...SETTINGS, '--no-atlas')).code).toBe(0)
    const { code, stderr } = await say('neurons', 'bare', 'stories')
    expect(code).toBe(1)
    expect(stderr).toContain('atlas')
    expect((await say('neurons', 'small', 'no such text')).code).toBe(1)
  }, 120_000)
})
