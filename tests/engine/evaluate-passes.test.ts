/** What an evaluation costs: every token once up to the hook, and logits only of positions that predict something. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { LanguageModel } from '../../src/main/engine/lm'
import { passWindows } from '../../src/main/engine/train/activations'
import { openBackend } from '../../src/main/engine/tf'
import type { Backend } from '../../src/shared/domain'
import type { FromWorker } from '../../src/main/jobs/messages'
import { runEvaluation } from '../../src/main/tasks/evaluate'
import { reportSkip, storiesFolder } from './goldens'
import { SIGN_CONTEXT, signSpec, writeSignSae } from './sign-sae'

const stories = storiesFolder()
if (!stories) reportSkip('passes of an evaluation', 'the stories260K model is absent')
const WAYS = 4
const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)

describe.skipIf(!stories)('an evaluation', () => {
  let root = ''
  let backend: Backend
  beforeAll(async () => {
    backend = await openBackend('wasm')
    root = await mkdtemp(join(tmpdir(), 'monoscope-passes-'))
    const lines = (await readFile(join(stories ?? '', 'corpus.jsonl'), 'utf8')).split('\n').slice(0, 60)
    await writeFile(join(root, 'corpus.jsonl'), `${lines.join('\n')}\n`)
  })
  afterAll(() => rm(root, { recursive: true }))
  afterEach(() => vi.restoreAllMocks())

  it.each(['blocks.2.hook_resid_post', 'blocks.2.hook_mlp_out'])('passes each token to %s once', async (hookName) => {
    const path = await writeSignSae(join(root, hookName), { hookName, gain: 1, dIn: 64 })
    const forward = vi.spyOn(LanguageModel.prototype, 'forward')
    const rest = vi.spyOn(LanguageModel.prototype, 'residAfter')
    const unembed = vi.spyOn(LanguageModel.prototype, 'unembed')
    const messages: FromWorker[] = []
    const spec = signSpec(path, { stories: stories ?? '', root, hookName })
    expect(
      await runEvaluation(spec, {
        ...{ backend, threadEntry: '' },
        isCancelled: () => false,
        send: (message) => messages.push(message),
      }),
    ).toBe(true)
    const read = forward.mock.calls.map(([ids, options]) => {
      expect(options?.stopAfter).toBe(hookName)
      return ids.shape[0]
    })
    const rests = rest.mock.calls.map(([{ shape }]) => shape)
    const windows = rests.length / WAYS
    expect(windows).toBeGreaterThan(1)
    // Only the last pass has rows without a window.
    expect(sumOf(read) - windows).toBeGreaterThanOrEqual(0)
    expect(sumOf(read) - windows).toBeLessThan(passWindows(SIGN_CONTEXT))
    const judged = unembed.mock.calls.map(([{ shape }]) => shape[0] * shape[1])
    expect(sumOf(judged)).toBe(sumOf(rests.map(([, time]) => time - 1)))
  })
})
