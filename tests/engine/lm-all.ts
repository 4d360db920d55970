/** Registers every language-model fixture on one backend; tfjs has one global backend, so each has its own test file. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { BackendName } from '../../src/shared/domain'
import { goldensFolder, openTestBackend, reportSkip, storiesFolder } from './goldens'
import { testModelFixture } from './lm-goldens'
import { testStories } from './lm-stories'

const FIXTURES = [
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

export async function testAllModels(name: BackendName): Promise<void> {
  const goldens = goldensFolder()
  const stories = storiesFolder()
  if (!goldens) reportSkip(`goldens on ${name}`, 'the folder of the fixtures is absent; name it in GOLDENS_DIR')
  if (!stories) reportSkip(`stories260K on ${name}`, 'the folder of the model is absent')
  const backend = await openTestBackend(name)
  describe.skipIf(!backend)(`language models on ${name}`, () => {
    it('computes on the backend that was asked for', () => {
      expect(backend?.name).toBe(name)
      expect(backend?.device).not.toBe('')
    })
    it.skipIf(!goldens)('finds every fixture', () => {
      const missing = FIXTURES.filter((fixture) => !existsSync(join(goldens ?? '', fixture, 'expected.safetensors')))
      expect(missing).toEqual([])
    })
    for (const fixture of goldens ? FIXTURES : []) testModelFixture(goldens ?? '', fixture, name)
    if (stories) testStories(stories, name)
  })
}
