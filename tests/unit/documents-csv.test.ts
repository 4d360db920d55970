/** Documents of CSV and TSV files: what the format allows, and what is said about files that break it. */
import { afterAll, describe, expect, it } from 'vitest'
import { inspectDataset } from '../../src/main/files/documents'
import { errorSentence } from '../../src/shared/errors'
import { refusalOf, scratchFolder, textsOf } from './dataset-files'

const { write, remove } = scratchFolder()
afterAll(remove)

describe('what is read', () => {
  it('takes the column that is named, wherever it stands', async () => {
    const path = write('columns.csv', 'id,text,본문\n1,one,하나\n2,two,둘 🎈\n')
    expect(await textsOf({ path })).toEqual(['one', 'two'])
    expect(await textsOf({ path, textField: '본문' })).toEqual(['하나', '둘 🎈'])
    expect(await textsOf({ path, textField: null })).toEqual(['one', 'two'])
  })

  it('keeps commas, line breaks and doubled quotes within quotes', async () => {
    const path = write('quotes.csv', 'text,n\n"a, b",1\n"two\nlines\r\nand three",2\n"he said ""no""",3\n"""",4\n')
    expect(await textsOf({ path })).toEqual(['a, b', 'two\nlines\r\nand three', 'he said "no"', '"'])
  })

  it.each([
    ['a mark', '\ufefftext,n\none,1\ntwo,2\n'],
    ['a mark before a quote', '\ufeff"text","n"\n"one",1\n"two",2\n'],
    ['CRLF', 'text,n\r\none,1\r\ntwo,2\r\n'],
    ['no last break', 'text,n\none,1\ntwo,2'],
    ['empty lines', 'text,n\n\none,1\n\n\ntwo,2\n\n'],
  ])('reads a file with %s', async (_, content) => {
    expect(await textsOf({ path: write('plain.csv', content) })).toEqual(['one', 'two'])
  })

  it('separates .tsv at tabs and not at commas', async () => {
    const path = write('tabs.TSV', 'n\ttext\n1\ta, b\n2\t"c\td"\n')
    expect(await textsOf({ path })).toEqual(['a, b', 'c\td'])
  })

  it('leaves out empty cells and such of white space', async () => {
    const path = write('empty.csv', 'n,text\n1,\n2,a\n3,"  \n"\n4,""\n5,b\n')
    expect(await textsOf({ path })).toEqual(['a', 'b'])
    expect(await inspectDataset({ path, textField: 'text' })).toMatchObject({ format: 'csv', documents: 2, files: 1 })
  })

  it.each([0, 1, 2])('keeps characters whole that lie across the borders of chunks, %i bytes off', async (shift) => {
    // Three bytes a character and a border at 1 MiB: with three beginnings, one border falls on each byte of a character.
    const long = 'x'.repeat(shift) + '한'.repeat(800_000)
    const path = write('wide.csv', `text\n"${long}"\n끝\n`)
    expect(await textsOf({ path })).toEqual([long, '끝'])
  })

  it('keeps row and order over many chunks', async () => {
    const rows = Array.from({ length: 30_000 }, (_, row) => `${row} 글, "${'가'.repeat(row % 50)}"`)
    const path = write('many.csv', `n,text\n${rows.map((row, n) => `${n},"${row.replaceAll('"', '""')}"\n`).join('')}`)
    expect(await textsOf({ path })).toEqual(rows)
  })
})

describe('what is refused', () => {
  it('names the columns that are there', async () => {
    const path = write('other.csv', 'id,body,제목\n1,x,y\n')
    const error = await refusalOf({ path })
    expect(error).toMatchObject({
      code: 'dataset-column-missing',
      details: { path, field: 'text', columns: 'id, body, 제목' },
    })
    expect(error.message).toBe(`The file ${path} has no text in a column "text". Its columns: id, body, 제목.`)
    expect(errorSentence(error.code, error.details, 'ko')).toBe(
      `${path} 파일에는 글이 든 "text" 열이 없습니다. 있는 열: id, body, 제목.`,
    )
  })

  it('cuts a long list of columns', async () => {
    const wide = Array.from({ length: 500 }, (_, n) => `c${n}`)
    const many = await refusalOf({ path: write('wide-header.csv', `${wide.join(',')}\n`) })
    expect(many.details.columns).toBe(wide.slice(0, 20).join(', '))
    const long = await refusalOf({ path: write('long-header.csv', `${'x'.repeat(100_000)}\n`) })
    expect(String(long.details.columns)).toHaveLength(1000)
  })

  it.each([
    ['too few values', 'a,text\n1,x\n2\n3,y\n', 3],
    ['too many values', 'a,text\n1,x,more\n', 2],
    ['values after a quote', 'a,text\n1,x\n2,y\n3,"z" z\n', 4],
    ['too few values after quoted line breaks', 'a,text\n1,"x\n\ny"\n\n2\n', 3],
  ])('names the row, the header being the first, with %s', async (_, content, row) => {
    const path = write('broken.csv', content)
    const error = await refusalOf({ path })
    expect(error).toMatchObject({ code: 'dataset-row-invalid', details: { path, row } })
    const reason = String(error.details.reason)
    expect(error.message).toBe(
      `Row ${row} of ${path} cannot be read: ${reason}. Correct the row, or export the file again.`,
    )
    expect(errorSentence(error.code, error.details, 'ko')).toBe(
      `${path}의 ${row}번째 행을 읽을 수 없습니다: ${reason}. 행을 고치거나 파일을 다시 내보내세요.`,
    )
  })

  it('stops at a quote that never closes, at the end and after 32 MB', async () => {
    const short = await refusalOf({ path: write('open.csv', 'text\nx\n"y\nz\n') })
    expect(short).toMatchObject({ code: 'dataset-row-invalid', details: { row: 3 } })
    const long = await refusalOf({ path: write('open-long.csv', `text\n"${'swallowed line\n'.repeat(3_000_000)}`) })
    expect(long).toMatchObject({ code: 'dataset-row-invalid', details: { row: 2 } })
  })

  it('gives the offset of the first byte that is not UTF-8', async () => {
    const start = Buffer.from('text\n한')
    const near = await refusalOf({ path: write('binary.csv', Buffer.concat([start, Buffer.from([0xff, 0x0a])])) })
    expect(near).toMatchObject({ code: 'dataset-binary', details: { offset: start.length } })
    const many = Buffer.from(`text\n${'한글\n'.repeat(400_000)}`)
    const far = await refusalOf({ path: write('far.csv', Buffer.concat([many, Buffer.from([0xc3, 0x28])])) })
    expect(far.details.offset).toBe(many.length)
    const nul = await refusalOf({ path: write('nul.csv', 'text\nab\0\n') })
    expect(nul).toMatchObject({ code: 'dataset-binary', details: { offset: 7 } })
    const cut = await refusalOf({ path: write('cut.csv', Buffer.from('text\n한').subarray(0, 7)) })
    expect(cut).toMatchObject({ code: 'dataset-binary', details: { offset: 5 } })
    expect(cut.message).toBe(
      `The file ${String(cut.details.path)} is not text: byte 5 is not valid UTF-8. Choose a UTF-8 text or JSONL file.`,
    )
  })

  it('counts rows over many chunks', async () => {
    const rows = Array.from({ length: 5000 }, (_, n) => `${n},text ${n}\n`).join('')
    const error = await refusalOf({ path: write('late.csv', `n,text\n${rows}x\n`) })
    expect(error).toMatchObject({ code: 'dataset-row-invalid', details: { row: 5002 } })
  })

  it('finds no document below a header alone, and none in an empty file', async () => {
    for (const content of ['n,text\n', 'text', 'text\n \n""\n']) {
      const path = write('bare.csv', content)
      await expect(inspectDataset({ path, textField: 'text' })).rejects.toMatchObject({ code: 'dataset-empty' })
    }
    const path = write('nothing.csv', '')
    await expect(inspectDataset({ path, textField: 'text' })).rejects.toMatchObject({
      code: 'dataset-empty',
      message: `The file ${path} holds no text. Choose a file with at least one document.`,
    })
  })

  it('says that a file is not there', async () => {
    const path = write('gone.csv', '')
    remove()
    expect(await refusalOf({ path })).toMatchObject({ code: 'file-missing', details: { path } })
  })
})
