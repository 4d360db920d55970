/** Documents whose text came before: which are left out, and that nothing else is. */
import { afterAll, describe, expect, it } from 'vitest'
import { inspectDataset } from '../../src/main/files/documents'
import { SeenTexts } from '../../src/main/files/documents/seen'
import { scratchFolder, textsOf } from './dataset-files'

const { path: folder, write, remove } = scratchFolder()
afterAll(remove)

const lines = (texts: readonly string[]) => texts.map((text) => `${JSON.stringify({ text })}\n`).join('')

describe('deduplication', () => {
  it('keeps the first of each text in order, over all files', async () => {
    write('set/1.jsonl', lines(['b', 'a', 'b', ' ', 'a ']))
    write('set/2.csv', 'text\na\nc\n"b"\n')
    const path = `${folder}/set`
    expect(await textsOf({ path })).toEqual(['b', 'a', 'b', 'a ', 'a', 'c', 'b'])
    expect(await textsOf({ path, deduplicate: true })).toEqual(['b', 'a', 'a ', 'c'])
    const whole = await inspectDataset({ path, textField: 'text' })
    const thinned = await inspectDataset({ path, textField: 'text', deduplicate: true })
    expect(whole).toMatchObject({ documents: 7, deduplicate: false, duplicates: 0 })
    expect(thinned).toMatchObject({ documents: 4, deduplicate: true, duplicates: 3 })
    expect(thinned.sha256).toBe(whole.sha256)
  })

  it('reads as many documents as inspection counted', async () => {
    const texts = Array.from({ length: 20_000 }, (_, n) => `글 ${(n * n) % 7919}`)
    const path = write('many.jsonl', lines(texts))
    const read = await textsOf({ path, deduplicate: true })
    expect(read).toEqual([...new Set(texts)])
    expect(await inspectDataset({ path, textField: 'text', deduplicate: true })).toMatchObject({
      ...{ documents: read.length, duplicates: texts.length - read.length },
    })
  })
})

describe('SeenTexts', () => {
  it('knows 100,000 texts and takes none for another, while it grows', () => {
    const seen = new SeenTexts()
    let wrong = 0
    for (let n = 0; n < 100_000; n++) if (seen.add(`text ${n}`)) wrong += 1
    expect(wrong).toBe(0)
    for (let n = 0; n < 100_000; n++) if (!seen.add(`text ${n}`)) wrong += 1
    expect(wrong).toBe(0)
    expect(seen.add('another text')).toBe(false)
    expect(seen.add('')).toBe(false)
    expect(seen.add('')).toBe(true)
  })
})
