/** Registers every language-model fixture on one backend; tfjs has one global backend, so each has its own test file. */
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { BackendName } from '../../src/shared/domain'
import { goldensFolder, openTestBackend, reportSkip, storiesFolder, usualGoldens } from './goldens'
import { testModelFixture } from './lm-goldens'
import { testStories } from './lm-stories'

/** What the usual folder must hold at least; whatever else is there is tested, too. */
const KNOWN = [
  'gpt2',
  'gpt2_sharded',
  'gpt2_bare_names',
  'gpt2_bf16',
  'gpt2_f16',
  'gpt_neo',
  'gpt_neox',
  'llama',
  'llama3_rope_tied',
  'llama_bf16',
  'qwen2',
  'qwen3',
  'mistral',
  'gemma2',
]

/**
 * Plain JavaScript is slow, and its operations are the same for every family: these between them use all of them. `npm run test:goldens`
 * runs every fixture on it.
 */
const PLAIN = ['gpt2', 'gpt_neox', 'gemma2', 'llama3_rope_tied']
const isForPlainJavaScript = (fixture: string) =>
  process.env.MONOSCOPE_ALL_GOLDENS !== undefined || PLAIN.includes(fixture)

/** Folders of models: a config, weights and what is expected of them. */
const listFixtures = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => ['config.json', 'expected.json'].every((file) => existsSync(join(folder, name, file))))
    .sort()

export async function testAllModels(name: BackendName): Promise<void> {
  const goldens = goldensFolder()
  const stories = storiesFolder()
  if (!goldens) reportSkip(`goldens on ${name}`, 'the folder of the fixtures is absent; name it in GOLDENS_DIR')
  if (!stories) reportSkip(`stories260K on ${name}`, 'the folder of the model is absent')
  const fixtures = goldens ? listFixtures(goldens) : []
  const usual = usualGoldens()
  const isUsual = goldens !== null && usual !== null && realpathSync(goldens) === realpathSync(usual)
  const backend = await openTestBackend(name)
  describe.skipIf(!backend)(`language models on ${name}`, () => {
    it('computes on the backend that was asked for', () => {
      expect(backend?.name).toBe(name)
      expect(backend?.device).not.toBe('')
    })
    it.skipIf(!goldens)('finds every fixture', () => {
      expect(fixtures.length).toBeGreaterThan(0)
      if (isUsual) expect(fixtures).toEqual(expect.arrayContaining(KNOWN))
    })
    for (const fixture of fixtures) {
      if (name !== 'cpu' || isForPlainJavaScript(fixture)) testModelFixture(goldens ?? '', fixture, name)
    }
    if (stories) testStories(stories, name)
  })
}
