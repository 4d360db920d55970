/** Documents of Parquet files as other programs write them, and what is said about broken and forged ones. */
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, describe, expect, it } from 'vitest'
import { inspectDataset } from '../../src/main/files/documents'
import { refusalOf, scratchFolder, textsOf } from './dataset-files'

const { write, remove } = scratchFolder()
afterAll(remove)

type Options = Omit<Parameters<typeof parquetWriteBuffer>[0], 'columnData'>
type Column = Parameters<typeof parquetWriteBuffer>[0]['columnData'][number]

const bytesOf = (columnData: Column[], options: Options = {}) =>
  new Uint8Array(parquetWriteBuffer({ columnData, ...options }))
const textColumn = (data: (string | null)[], more: Partial<Column> = {}): Column => ({
  ...{ name: 'text', data, type: 'STRING', nullable: true },
  ...more,
})
const ids = (count: number): Column => ({ name: 'id', data: Array.from({ length: count }, (_, n) => n), type: 'INT32' })

const rows = Array.from({ length: 2500 }, (_, row) =>
  row % 7 === 3 ? null : `${row}번째 글 🎈 ${'가나'.repeat(row % 40)}`,
)
const texts = rows.filter((row) => row !== null)

describe('what is read', () => {
  it.each<[string, Column[], Options]>([
    ['one row group', [textColumn(rows)], {}],
    ['several row groups', [ids(2500), textColumn(rows)], { rowGroupSize: 400 }],
    ['small pages', [textColumn(rows), ids(2500)], { pageSize: 2000, rowGroupSize: 1000 }],
    ['no compression', [textColumn(rows)], { codec: 'UNCOMPRESSED' }],
    ['snappy', [textColumn(rows)], { codec: 'SNAPPY' }],
    ['gzip', [textColumn(rows)], { codec: 'GZIP', compressors: { GZIP: (input) => gzipSync(input) } }],
    ['zstandard', [textColumn(rows)], { codec: 'ZSTD', compressors: { ZSTD: (input) => zstdCompressSync(input) } }],
    ['plain values', [textColumn(rows, { encoding: 'PLAIN' })], {}],
    ['lengths before values', [textColumn(rows, { encoding: 'DELTA_LENGTH_BYTE_ARRAY' })], {}],
    ['shared beginnings', [textColumn(rows, { encoding: 'DELTA_BYTE_ARRAY' })], {}],
    ['no offset index', [textColumn(rows, { offsetIndex: false })], { rowGroupSize: 400 }],
  ])('reads a file with %s', async (_, columns, options) => {
    expect(await textsOf({ path: write('rows.parquet', bytesOf(columns, options)) })).toEqual(texts)
  })

  it('reads values from a dictionary', async () => {
    const words = Array.from({ length: 5000 }, (_, row) => (row % 11 === 0 ? null : `단어 ${row % 3}`))
    const bytes = bytesOf([textColumn(words)], { codec: 'UNCOMPRESSED' })
    // Each word would take 12 bytes; as places in a dictionary of three they fit in two bits.
    expect(bytes.length).toBeLessThan(5000)
    expect(await textsOf({ path: write('words.parquet', bytes) })).toEqual(words.filter((word) => word !== null))
  })

  it('takes the column that is named and leaves out rows without a text', async () => {
    const path = write('body.PARQUET', bytesOf([textColumn(['', ' \n', null, '글'], { name: '본문' }), ids(4)]))
    expect(await textsOf({ path, textField: '본문' })).toEqual(['글'])
    expect(await inspectDataset({ path, textField: '본문' })).toMatchObject({
      ...{ format: 'parquet', textField: '본문', files: 1, documents: 1, preview: '글' },
    })
    const nulls = write('nulls.parquet', bytesOf([textColumn([null, null])]))
    await expect(inspectDataset({ path: nulls, textField: 'text' })).rejects.toMatchObject({
      ...{ code: 'dataset-empty', details: { path: nulls } },
    })
  })
})

describe('what is refused', () => {
  it('names the columns of a file that lacks the one asked for', async () => {
    const path = write('other.parquet', bytesOf([ids(3), textColumn(['a', 'b', 'c'], { name: 'body' })]))
    const error = await refusalOf({ path })
    expect(error.message).toBe(`The file ${path} has no text in a column "text". Its columns: id, body.`)
  })

  it('says what a column holds that is no text', async () => {
    const numbers: Column[] = [{ name: 'text', data: [1, 2, 3], type: 'INT32' }]
    const path = write('numbers.parquet', bytesOf(numbers))
    const error = await refusalOf({ path })
    expect(error.message).toBe(`The file ${path} has no text in a column "text". Its columns: text (number).`)
  })

  const valid = bytesOf([ids(2500), textColumn(rows)], { rowGroupSize: 400 })
  const withFooter = (length: number) => {
    const copy = valid.slice()
    new DataView(copy.buffer).setUint32(copy.length - 8, length, true)
    return copy
  }
  const cutIn = (from: number, to: number) => new Uint8Array([...valid.subarray(0, from), ...valid.subarray(to)])

  it.each<[string, Uint8Array]>([
    ['nothing in it', new Uint8Array(0)],
    ['four bytes', Buffer.from('PAR1')],
    ['its end cut off', valid.subarray(0, valid.length - 1)],
    ['its second half cut off', valid.subarray(0, valid.length / 2)],
    ['bytes missing before the footer', cutIn(1000, valid.length - 9000)],
    ['another mark at its end', Uint8Array.from([...valid.subarray(0, -4), ...Buffer.from('PAR2')])],
    ['a footer longer than itself', withFooter(valid.length + 1)],
    ['a footer of 4 GB', withFooter(0xffffffff)],
    ['a footer that begins too late', withFooter(20)],
    ['other bytes', Uint8Array.from({ length: 5000 }, (_, n) => (n * n * 31) % 251)],
    ['text', Buffer.from('글\n'.repeat(100))],
  ])('gives the name of a file with %s', async (_, bytes) => {
    const path = write('broken.parquet', bytes)
    const error = await refusalOf({ path })
    expect(error).toMatchObject({ code: 'dataset-row-invalid', details: { path } })
    expect(String(error.details.reason)).not.toBe('')
    expect(error.message).toContain(path)
  })

  it('says that a file is not there', async () => {
    const path = write('gone.parquet', '')
    remove()
    expect(await refusalOf({ path })).toMatchObject({ code: 'file-missing', details: { path } })
  })
})
