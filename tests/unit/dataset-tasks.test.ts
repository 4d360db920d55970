/** What the warm worker answers about datasets: documents as they are read, and how many tokens a tokenizer makes of them. */
import { afterAll, describe, expect, it } from 'vitest'
import { countTokens, previewDocuments } from '../../src/main/tasks/datasets'
import { scratchFolder } from './dataset-files'
import { byteLevelJson } from './tokenizer-samples'

const { path: folder, write, remove } = scratchFolder()
afterAll(remove)

const lines = (texts: readonly string[]) => texts.map((text) => `${JSON.stringify({ text })}\n`).join('')
const jsonl = (name: string, texts: readonly string[]) => write(name, lines(texts))
const dataset = (path: string, deduplicate = false) => ({ name: 'd', path, textField: 'text', deduplicate })
const aborted = () => {
  const control = new AbortController()
  control.abort()
  return control.signal
}

describe('previewDocuments', () => {
  const hundred = Array.from({ length: 100 }, (_, n) => `문서 ${n}`)

  it.each([
    [0, 3, [0, 1, 2]],
    [40, 2, [40, 41]],
    [98, 10, [98, 99]],
    [100, 10, []],
    [1e9, 1, []],
  ])('shows the documents from %i on, %i at most', async (first, count, indexes) => {
    const path = jsonl('hundred.jsonl', hundred)
    const shown = await previewDocuments({ dataset: dataset(path), first, count })
    expect(shown).toEqual(
      indexes.map((index) => ({ index, text: `문서 ${index}`, characters: `문서 ${index}`.length })),
    )
  })

  it('counts documents without those that are left out', async () => {
    const path = jsonl('repeated.jsonl', ['a', 'a', ' ', 'b', 'a', 'c'])
    const shown = await previewDocuments({ dataset: dataset(path, true), first: 1, count: 2 })
    expect(shown).toEqual([
      { index: 1, text: 'b', characters: 1 },
      { index: 2, text: 'c', characters: 1 },
    ])
  })

  it('reads no further than it shows', async () => {
    const path = write('broken-later.jsonl', `${lines(['a', 'b'])}no JSON\n`)
    expect(await previewDocuments({ dataset: dataset(path), first: 0, count: 2 })).toHaveLength(2)
    await expect(previewDocuments({ dataset: dataset(path), first: 0, count: 3 })).rejects.toMatchObject({
      ...{ code: 'dataset-line-invalid', details: { path, line: 3 } },
    })
  })

  it('cuts after 4,000 characters, whole ones, and counts all of them', async () => {
    const texts = ['🎈'.repeat(5000), `a${'🎈'.repeat(4500)}`, '한'.repeat(4000), 'x'.repeat(4001), '🎈']
    const shown = await previewDocuments({ dataset: dataset(jsonl('long.jsonl', texts)), first: 0, count: 10 })
    expect(shown.map(({ characters }) => characters)).toEqual([5000, 4501, 4000, 4001, 1])
    expect(shown.map(({ text }) => text)).toEqual([
      '🎈'.repeat(4000),
      `a${'🎈'.repeat(3999)}`,
      '한'.repeat(4000),
      'x'.repeat(4000),
      '🎈',
    ])
  })

  it('ends when nobody waits any more', async () => {
    const path = jsonl('aborted.jsonl', hundred)
    await expect(previewDocuments({ dataset: dataset(path), first: 0, count: 1 }, aborted())).rejects.toMatchObject({
      code: 'cancelled',
    })
  })
})

describe('countTokens', () => {
  // One token a byte, and one for a special token, which lets long texts be counted fast.
  write('model/tokenizer.json', JSON.stringify(byteLevelJson()))
  const modelPath = `${folder}/model`

  it('counts every document of a small dataset, without BOS', async () => {
    const texts = ['글 🎈', 'abc', 'abc', '<|end|>', ...Array.from({ length: 200 }, (_, n) => 'y'.repeat(1 + (n % 9)))]
    const bytesOf = (all: readonly string[]) =>
      all.reduce((sum, text) => sum + (text === '<|end|>' ? 1 : Buffer.byteLength(text)), 0)
    const path = jsonl('small.jsonl', texts)
    expect(await countTokens({ dataset: dataset(path), documents: texts.length, modelPath })).toEqual({
      ...{ tokens: bytesOf(texts), isExact: true },
    })
    const once = [...new Set(texts)]
    expect(await countTokens({ dataset: dataset(path, true), documents: once.length, modelPath })).toEqual({
      ...{ tokens: bytesOf(once), isExact: true },
    })
  })

  it('estimates what lies behind the first 8 MB of text from the documents before', async () => {
    // 7 * 2^17 characters a document: ten are 8.75 MB, and the eleventh and later ones, which are shorter, are not read.
    const special = '<|end|>'.repeat(2 ** 17)
    const ten = Array.from({ length: 10 }, () => special)
    const path = jsonl('large.jsonl', [...ten, ...Array.from({ length: 30 }, () => 'ab')])
    expect(await countTokens({ dataset: dataset(path), documents: 40, modelPath })).toEqual({
      ...{ tokens: 40 * 2 ** 17, isExact: false },
    })
    const whole = jsonl('just-large.jsonl', ten)
    expect(await countTokens({ dataset: dataset(whole), documents: 10, modelPath })).toEqual({
      ...{ tokens: 10 * 2 ** 17, isExact: true },
    })
  })

  it('ends when nobody waits any more', async () => {
    const path = jsonl('waiting.jsonl', ['a', 'b'])
    await expect(countTokens({ dataset: dataset(path), documents: 2, modelPath }, aborted())).rejects.toMatchObject({
      code: 'cancelled',
    })
    const control = new AbortController()
    const many = jsonl(
      'many.jsonl',
      Array.from({ length: 20_000 }, () => 'words to count'),
    )
    const counting = countTokens({ dataset: dataset(many), documents: 20_000, modelPath }, control.signal)
    setImmediate(() => control.abort())
    await expect(counting).rejects.toMatchObject({ code: 'cancelled' })
  })

  it('says that a model or a dataset is not there', async () => {
    const path = jsonl('there.jsonl', ['a'])
    await expect(countTokens({ dataset: dataset(path), documents: 1, modelPath: folder })).rejects.toMatchObject({
      code: 'tokenizer-missing',
    })
    const gone = dataset(`${folder}/gone.jsonl`)
    await expect(countTokens({ dataset: gone, documents: 1, modelPath })).rejects.toMatchObject({
      code: 'file-missing',
    })
  })
})
