/** The small files beside weights: their hash follows each of them, and a stamp tells when they were touched. */
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { stampOf } from '../../src/main/files/stamp'
import { hashSettings } from '../../src/main/tasks/hash-files'

let folder = ''
const put = (name: string, text: string) => writeFile(join(folder, name), text)
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'monoscope-stamp-'))
  await put('config.json', '{}')
  await put('tokenizer.json', '{"a":1}')
  await put('model.safetensors', 'weights')
  await put('cfg.json', '{}')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

it('changes with each settings file of a model, and with no other', async () => {
  const first = await hashSettings('model', folder)
  await put('model.safetensors', 'other')
  await put('cfg.json', '{"k":1}')
  await put('README.md', 'words')
  expect(await hashSettings('model', folder)).toBe(first)
  const hashes = new Set([first])
  for (const [name, text] of [
    ['config.json', '{"a":1}'],
    ['tokenizer.json', '{}'],
    ['tokenizer_config.json', '{}'],
  ] as const) {
    await put(name, text)
    hashes.add(await hashSettings('model', folder))
  }
  expect(hashes.size).toBe(4)
})

it('is that of cfg.json for an autoencoder', async () => {
  const first = await hashSettings('sae', folder)
  await put('config.json', '{"a":1}')
  expect(await hashSettings('sae', folder)).toBe(first)
  await put('cfg.json', '{"k":1}')
  expect(await hashSettings('sae', folder)).not.toBe(first)
})

it('has a stamp of its own that follows sizes and times, and none where nothing is', async () => {
  const [content, settings] = [await stampOf('model', folder, 'content'), await stampOf('model', folder, 'settings')]
  expect(settings?.stamp).not.toBe(content?.stamp)
  await utimes(join(folder, 'tokenizer.json'), 1, 1)
  expect((await stampOf('model', folder, 'settings'))?.stamp).not.toBe(settings?.stamp)
  expect((await stampOf('model', folder, 'content'))?.stamp).toBe(content?.stamp)
  expect(await stampOf('dataset', join(folder, 'config.json'), 'settings')).toBeNull()
  await rm(folder, { recursive: true })
  expect(await stampOf('model', folder, 'settings')).toBeNull()
  expect(await stampOf('model', folder, 'content')).toBeNull()
})
