/** What is found out about a real model folder when it is added to a workspace. */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { inspectModel } from '../../src/main/engine/lm'
import { readPieces } from '../../src/main/files/pieces-file'
import { reportSkip, storiesFolder } from './goldens'

let folder: string

const stories = storiesFolder()
if (!stories) reportSkip('inspecting stories260K', 'the folder of the model is absent')

describe.skipIf(!stories)('inspecting a real folder', () => {
  const copied = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json']
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'monoscope-inspect-'))
    for (const file of copied) await copyFile(join(stories ?? '', file), join(folder, file))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))
  it('answers its facts and writes its pieces', async () => {
    const piecesFolder = join(folder, 'pieces')
    const info = await inspectModel({ path: folder, piecesFolder })
    const { sha256, ...facts } = info
    expect(facts).toEqual({
      family: 'llama',
      layers: 5,
      dModel: 64,
      heads: 8,
      vocabulary: 512,
      contextSize: 512,
      dtype: 'float32',
      parameters: 260032,
      weightBytes: 1040128,
    })
    expect(sha256).toMatch(/^[0-9a-f]{64}$/)
    const pieces = await readPieces(join(piecesFolder, `${sha256}.safetensors`))
    expect(pieces.special.length).toBe(512)
  })
  it('refuses a tokenizer of another model', async () => {
    const config: unknown = JSON.parse(await readFile(join(folder, 'tokenizer.json'), 'utf8'))
    const more = { id: 600, content: '<more>', special: true, single_word: false, lstrip: false, rstrip: false }
    const added = { ...(config as { added_tokens: unknown[] }) }
    added.added_tokens = [...added.added_tokens, more]
    await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(added))
    await expect(inspectModel({ path: folder, piecesFolder: folder })).rejects.toMatchObject({
      code: 'tokenizer-mismatch',
      details: { largest: 600, vocabulary: 512 },
    })
  })
})
