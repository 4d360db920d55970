/** Tokenizer files with random damage: an error with a code, or a tokenizer that answers and whose pieces hold together. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadTokenizer } from '../../src/main/engine/lm/tokenizer'
import { AppError } from '../../src/shared/errors'
import { toText } from '../../src/shared/token-spans'
import { damaged } from '../fixtures/mutate'
import { byteLevelJson, metaspaceJson, unigramJson } from './tokenizer-samples'

const VOCABULARY = 300

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'monoscope-damage-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const put = (file: string, json: unknown) => writeFile(join(folder, file), JSON.stringify(json))

/** Loads and uses the tokenizer of the folder; anything but an error with a code is thrown on. */
async function tryTokenizer(): Promise<'used' | 'refused'> {
  try {
    const { encode, pieces, bosId, stopIds, vocabulary } = await loadTokenizer(folder, VOCABULARY)
    const ids = await encode('a é 한🦊\n')
    expect(ids.every((id) => Number.isInteger(id) && id >= 0)).toBe(true)
    expect(typeof toText(ids, pieces)).toBe('string')
    expect([pieces.special.length, pieces.offsets.length]).toEqual([vocabulary, vocabulary + 1])
    expect(pieces.offsets[vocabulary]).toBe(pieces.bytes.length)
    for (const id of [bosId ?? 0, ...stopIds]) expect(id < VOCABULARY).toBe(true)
    return 'used'
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return 'refused'
  }
}

describe('a damaged tokenizer.json', () => {
  it.each([
    ['byte-level', byteLevelJson()],
    ['metaspace', metaspaceJson()],
    ['Unigram', unigramJson()],
  ])('of a %s tokenizer', async (_, json) => {
    await put('tokenizer.json', json)
    expect(await tryTokenizer()).toBe('used')
    const seen = { used: 0, refused: 0 }
    await fc.assert(
      fc.asyncProperty(damaged(json), async (broken) => {
        await put('tokenizer.json', broken)
        seen[await tryTokenizer()]++
      }),
      { seed: 61, numRuns: 300 },
    )
    expect(Math.min(seen.used, seen.refused)).toBeGreaterThan(5)
  })
})

it('damaged files beside it', async () => {
  const config = { bos_token: '<s>', eos_token: { content: '</s>' }, add_bos_token: true, unk_token: null }
  const tokens = { bos_token_id: 1, eos_token_id: [2, 3] }
  await put('tokenizer.json', metaspaceJson())
  const seen = { used: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(damaged(config), damaged(tokens), async (first, second) => {
      await put('tokenizer_config.json', first)
      await put('generation_config.json', second)
      seen[await tryTokenizer()]++
    }),
    { seed: 62, numRuns: 200 },
  )
  expect(Math.min(seen.used, seen.refused)).toBeGreaterThan(5)
})

it('ids that no vocabulary has are refused before pieces are made for them', async () => {
  await rm(join(folder, 'tokenizer_config.json'), { force: true })
  await rm(join(folder, 'generation_config.json'), { force: true })
  const json = byteLevelJson()
  const [end] = json.added_tokens
  await put('tokenizer.json', { ...json, added_tokens: [{ ...end, id: 2 ** 31 }] })
  await expect(loadTokenizer(folder)).rejects.toMatchObject({ code: 'file-corrupt' })
})
