/** What needs an atlas, from the command line: the map of features with its parameters and clusters, a search's hits, and a refusal. */
import { describe, expect, it } from 'vitest'
import { TextFeature } from '../../src/shared/contract/text'
import { SearchHit } from '../../src/shared/domain'
import { lastJson, missingModel } from '../fixtures/built'
import { commandLine } from '../fixtures/command-line'

const say = commandLine('map')

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

  it('lists the features of a text, strong and rare first, and says how much of it is explained', async () => {
    const ask = ['text', 'Once upon a time there was a little girl who had a big red ball.', '--limit', '5']
    const { stdout, stderr } = await say('--json', ...ask)
    const ranks = stdout
      .trim()
      .split('\n')
      .map((line) => TextFeature.parse(JSON.parse(line)))
      .map(({ largest, maxActivation, density }) => (largest / maxActivation) * Math.log(1 / density))
    expect(ranks).toHaveLength(5)
    expect(ranks).toEqual(ranks.toSorted((a, b) => b - a))
    expect(stderr).toMatch(/Explained variance of this text -?\d+\.\d{3}; of held-out text -?\d+\.\d{3}\.|lies outside/)
    expect((await say('--lang', 'ko', ...ask)).stderr).toMatch(/이 글의 설명된 분산|이 글은 오토인코더/)
  })

  it('says with a hit of a search what its feature is about', async () => {
    const ask = ['search', 'prompts', '-p', 'Once upon a time', '--limit', '3']
    const hits = (await say('--json', ...ask)).stdout
      .trim()
      .split('\n')
      .map((line) => SearchHit.parse(JSON.parse(line)))
    const { stdout } = await say(...ask)
    for (const [at, { featureIndex, topToken, peakSpans }] of hits.entries()) {
      const line = stdout.split('\n')[at]?.split('\t') ?? []
      expect(line[0]).toBe(String(featureIndex))
      expect(line[3]).toBe(JSON.stringify(topToken))
      expect(line.at(-1)).toBe(
        peakSpans
          .map(({ text }) => text)
          .join('')
          .replace(/\s+/g, ' '),
      )
      expect(line.at(-1)?.length).toBeGreaterThan(5)
    }
    expect(hits).toHaveLength(3)
  })
})
