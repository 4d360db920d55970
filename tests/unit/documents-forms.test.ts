/** Files as people have them: compressed, in JSON of several shapes, rows without a text, folders as a hub hands them out. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { inspectDataset, readDocuments } from '../../src/main/files/documents'
import { temporaryFolder } from '../fixtures/samples'

const TEXTS = ['The first text.', '둘째 글 é', 'The third text.']
const lines = TEXTS.map((text) => JSON.stringify({ text })).join('\n')

async function textsOf(path: string): Promise<string[]> {
  const found: string[] = []
  for await (const { text } of readDocuments({ path, textField: 'text' })) found.push(text)
  return found
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(temporaryFolder(), name)
  writeFileSync(path, content)
  return path
}

describe('documents', () => {
  it.each([
    ['a.jsonl.gz', gzipSync(lines)],
    ['a.jsonl.zst', zstdCompressSync(lines)],
    ['a.csv.gz', gzipSync(`id,text\n${TEXTS.map((text, i) => `${i},${text}`).join('\n')}`)],
    ['a.tsv.zst', zstdCompressSync(`id\ttext\n${TEXTS.map((text, i) => `${i}\t${text}`).join('\n')}`)],
    ['a.txt.gz', gzipSync(TEXTS.join('\n<|endoftext|>\n'))],
    ['lines.json', lines],
    ['a.json.gz', gzipSync(JSON.stringify(TEXTS))],
    ['list.json', JSON.stringify(TEXTS)],
    [
      'records.json',
      JSON.stringify(
        TEXTS.map((text, id) => ({ id, text })),
        null,
        2,
      ),
    ],
    ['columns.json', JSON.stringify({ id: { 0: 0, 1: 1, 2: 2 }, text: Object.fromEntries(TEXTS.entries()) })],
    ['lists.json', JSON.stringify({ id: [0, 1, 2], text: TEXTS })],
    ['lists-with-break.json', `${JSON.stringify({ id: [0, 1, 2], text: TEXTS })}\n`],
    ['table.json', JSON.stringify({ schema: {}, data: TEXTS.map((text, index) => ({ index, text })) })],
    ['mark.json', `\ufeff${JSON.stringify(TEXTS)}`],
    ['null.jsonl', `${lines}\n{"text": null}\n{"id": 2}`],
    ['first.jsonl', `{"text": null}\n${lines}`],
  ])('of %s', async (name, content) => {
    expect(await textsOf(file(name, content))).toEqual(TEXTS)
  })

  it('of a folder are its data, not its card', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'data'))
    writeFileSync(join(folder, 'README.md'), '# A dataset of texts that is described here')
    writeFileSync(join(folder, 'LICENSE'), 'Permission is hereby granted')
    writeFileSync(join(folder, 'dataset_infos.json'), '{"default": {"features": {}}}')
    writeFileSync(join(folder, 'data/train-00000-of-00001.jsonl'), lines)
    expect(await textsOf(folder)).toEqual(TEXTS)
    expect(await inspectDataset({ path: folder, textField: 'text' })).toMatchObject({ format: 'jsonl', files: 1 })
  })

  it('of a folder are all its data, whatever their names begin with', async () => {
    const folder = temporaryFolder()
    const names = ['citations.jsonl', 'license-plates.jsonl', 'notices.jsonl', 'readme-texts.jsonl', 'states.jsonl']
    for (const name of names) writeFileSync(join(folder, name), JSON.stringify({ text: name }))
    expect(await textsOf(folder)).toEqual(names)
  })

  it.each([
    ['cut.jsonl.gz', gzipSync(lines.repeat(1000)).subarray(0, 60), 'file-corrupt'],
    ['no.jsonl.gz', 'this is no gzip', 'file-corrupt'],
    ['no.jsonl.zst', 'this is no zstd', 'file-corrupt'],
    ['number.jsonl', '{"text": "a"}\n{"text": 42}', 'dataset-line-invalid'],
    ['other.jsonl', '{"body": "a"}\n{"body": "b"}', 'dataset-line-invalid'],
    ['other.json', '[{"body": "a"}]', 'dataset-column-missing'],
    ['broken.json', '[{"text": "a"', 'file-corrupt'],
  ])('of %s are refused with a code', async (name, content, code) => {
    await expect(textsOf(file(name, content))).rejects.toMatchObject({ code })
  })

  it('of a named pipe are refused at once', async ({ skip }) => {
    const path = join(temporaryFolder(), 'pipe.jsonl')
    if (spawnSync('mkfifo', [path]).status !== 0) return skip('named pipes cannot be made here')
    await expect(textsOf(path)).rejects.toMatchObject({ code: 'file-special' })
  })
})
