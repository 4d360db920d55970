/** Datasets that are folders: which files belong to them, in which order, and when they count as the same. */
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { inspectDataset } from '../../src/main/files/documents'
import { errorSentence } from '../../src/shared/errors'
import { refusalOf, scratchFolder, textsOf } from './dataset-files'

let folder: ReturnType<typeof scratchFolder>
beforeEach(() => (folder = scratchFolder()))
afterEach(() => folder.remove())

const parquet = (name: string, data: string[]) =>
  new Uint8Array(parquetWriteBuffer({ columnData: [{ name, data, type: 'STRING' }] }))
const inspect = (path: string, textField = 'text') => inspectDataset({ path, textField })

describe('the files of a folder', () => {
  it('are those with a known ending, in the folders below too, by their whole paths', async () => {
    const { path, write } = folder
    for (const name of ['b.txt', 'a/2.md', 'a/1.rst', 'a/deep/er/x.TXT', 'c/1.markdown', 'README', 'd.text']) {
      write(name, `of ${name}`)
    }
    write('image.png', new Uint8Array([0x89, 0x50, 0, 0]))
    write('a/code.py', 'print()')
    const names = ['README', 'a/1.rst', 'a/2.md', 'a/deep/er/x.TXT', 'b.txt', 'c/1.markdown', 'd.text']
    expect(await textsOf({ path })).toEqual(names.map((name) => `of ${name}`))
    expect(await inspect(path)).toMatchObject({ format: 'text', textField: null, files: 7, documents: 7 })
  })

  it('are not the hidden ones', async () => {
    const { path, write } = folder
    write('seen.txt', 'seen')
    write('.hidden.txt', 'hidden')
    write('.git/description.txt', 'hidden')
    write('sub/.cache/a.jsonl', '{"text":"hidden"}')
    expect(await textsOf({ path })).toEqual(['seen'])
  })

  it('may be links to files, and folders that are links are passed by', async () => {
    const { path, write } = folder
    const elsewhere = scratchFolder()
    try {
      symlinkSync(elsewhere.write('target.txt', 'linked'), join(path, 'link.txt'))
      elsewhere.write('inner/other.txt', 'not read')
      symlinkSync(join(elsewhere.path, 'inner'), join(path, 'inner.txt'))
      symlinkSync(join(elsewhere.path, 'nothing.txt'), join(path, 'dangling.txt'))
      write('sub/own.txt', 'own')
      symlinkSync(path, join(path, 'sub', 'loop'))
      expect(await textsOf({ path })).toEqual(['linked', 'own'])
    } finally {
      elsewhere.remove()
    }
  })

  it('are followed sixteen folders deep', async () => {
    const { path, write } = folder
    write(`${'d/'.repeat(16)}in.txt`, 'deep')
    write(`${'d/'.repeat(17)}out.txt`, 'too deep')
    expect(await textsOf({ path })).toEqual(['deep'])
  })

  it('may have different formats; the field is for those with fields', async () => {
    const { path, write } = folder
    write('1.txt', '글\n<|endoftext|>\nbody')
    write('2.jsonl', '{"body":"줄","text":"no"}\n')
    write('3.csv', 'text,body\nno,쉼표\n')
    write('4.tsv', 'text\tbody\nno\t탭, 여기\n')
    write('5.parquet', parquet('body', ['열 1', '열 2']))
    write('6.ndjson', '{"body":"둘째 줄"}')
    const expected = ['글', 'body', '줄', '쉼표', '탭, 여기', '열 1', '열 2', '둘째 줄']
    expect(await textsOf({ path, textField: 'body' })).toEqual(expected)
    expect(await inspect(path, 'body')).toMatchObject({
      ...{ format: 'mixed', textField: 'body', files: 6, documents: 8, preview: '글' },
    })
  })

  it.each([
    ['2.jsonl', '{"other":"x"}\n', 'dataset-line-invalid'],
    ['2.csv', 'other\nx\n', 'dataset-column-missing'],
    ['2.parquet', parquet('other', ['x']), 'dataset-column-missing'],
    ['2.txt', new Uint8Array([0xff]), 'dataset-binary'],
  ])('are named when one of them is wrong: %s', async (name, content, code) => {
    const { path, write } = folder
    write('1.txt', 'fine')
    const wrong = write(name, content)
    expect(await refusalOf({ path })).toMatchObject({ code, details: { path: wrong } })
  })
})

describe('a folder without texts', () => {
  it.each([
    ['nothing', []],
    ['only other files', ['a.png', 'sub/b.zip', '.hidden.txt']],
  ])('is refused: %s', async (_, names) => {
    const { path, write } = folder
    for (const name of names) write(name, 'x')
    const error = await refusalOf({ path })
    expect(error).toMatchObject({ code: 'dataset-files-missing', details: { path } })
    expect(error.message).toBe(`The folder ${path} has no text, JSONL, CSV or Parquet file. Choose another folder.`)
    expect(errorSentence(error.code, error.details, 'ko')).toBe(
      `${path} 폴더에 텍스트, JSONL, CSV, Parquet 파일이 없습니다. 다른 폴더를 고르세요.`,
    )
    await expect(inspect(path)).rejects.toMatchObject({ code: 'dataset-files-missing' })
  })
})

describe('the hash', () => {
  it('is that of a file alone, and of names and contents in a folder', async () => {
    const { path, write } = folder
    const one = write('set/a.txt', 'first second')
    const alone = await inspect(one)
    expect((await inspect(join(path, 'set'))).sha256).toBe(alone.sha256)
    write('set/b.txt', 'third')
    const both = await inspect(join(path, 'set'))
    expect(both).toMatchObject({ files: 2, bytes: 17 })
    expect((await inspect(join(path, 'set'))).sha256).toBe(both.sha256)
    write('copy/a.txt', 'first second')
    write('copy/b.txt', 'third')
    expect((await inspect(join(path, 'copy'))).sha256).toBe(both.sha256)
  })

  it('changes when text moves from one file to the next', async () => {
    const { path, write } = folder
    const hashes = new Set<string>()
    for (const [a, b, name] of [
      ['first second', 'third', 'b.txt'],
      ['first', ' secondthird', 'b.txt'],
      ['first second', 'third', 'c.txt'],
      ['third', 'first second', 'b.txt'],
    ] as const) {
      write(`${hashes.size}/a.txt`, a)
      write(`${hashes.size}/${name}`, b)
      hashes.add((await inspect(join(path, String(hashes.size)))).sha256)
    }
    expect(hashes.size).toBe(4)
  })
})
