/** The Parquet reader against another one, and against files that are made to hang a reader or to fill its memory. */
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { parquetReadObjects } from 'hyparquet'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, it } from 'vitest'
import { planRows, readTexts, type ParquetFile } from '../../src/main/files/parquet'
import { AppError } from '../../src/shared/errors'
import * as raw from '../fixtures/parquet-file'

/** A file in memory that refuses to be read outside itself, and counts what is read. */
function inMemory(bytes: Uint8Array, readBytes = 1000): ParquetFile & { read: () => number } {
  let read = 0
  const slice = (start: number, end: number) => {
    if (!(start >= 0 && start <= end && end <= bytes.length)) throw new Error(`asked for ${start}..${end}`)
    read += end - start
    return Promise.resolve(bytes.slice(start, end))
  }
  return { path: 'rows.parquet', bytes: bytes.length, slice, readBytes, read: () => read }
}

async function textsOf(file: ParquetFile, rows: [number, number] = [0, Infinity]): Promise<string[]> {
  const { parts } = await planRows(file, 'text', rows)
  const found: string[] = []
  for (const part of parts) for await (const texts of readTexts(part)) found.push(...texts)
  return found
}

/** What the other reader makes of the same bytes. */
async function otherTexts(bytes: Uint8Array): Promise<string[]> {
  const rows = await parquetReadObjects({ file: Uint8Array.from(bytes).buffer, columns: ['text'] })
  return rows.flatMap(({ text }) => (typeof text === 'string' ? [text] : []))
}

const abc = raw.plain('가', 'bb', '')

describe('what is read', () => {
  const words = raw.dictionaryPage(raw.plain('zero', '하나', 'two'), 3)
  it.each<[string, Uint8Array, string[]]>([
    ['plain', raw.fileOf([raw.firstKind(abc, { count: 3 })], { rows: 3, isNullable: false }), ['가', 'bb', '']],
    [
      'levels in runs',
      raw.fileOf([raw.firstKind(raw.concat(raw.levels(raw.run(2, 0), raw.run(3, 1)), abc), { count: 5 })], { rows: 5 }),
      ['가', 'bb', ''],
    ],
    [
      'packed levels and a page of nulls',
      raw.fileOf(
        [
          raw.firstKind(raw.concat(raw.levels(raw.packed(0b10110)), abc), { count: 6 }),
          raw.firstKind(raw.levels(raw.run(4, 0)), { count: 4 }),
        ],
        { rows: 10 },
      ),
      ['가', 'bb', ''],
    ],
    [
      'a dictionary',
      raw.fileOf(
        [
          words,
          raw.firstKind(raw.concat(raw.levels(raw.run(3, 1)), [2], raw.run(1, 2), raw.run(2, 1)), {
            count: 3,
            encoding: 2,
          }),
          raw.secondKind(raw.run(2, 1), raw.concat([2], raw.run(2, 0)), { count: 2, encoding: 8 }),
        ],
        { rows: 5, hasDictionary: true },
      ),
      ['two', '하나', '하나', 'zero', 'zero'],
    ],
    ['no rows', raw.fileOf([], { rows: 0 }), []],
  ])('%s, as the other reader does', async (_, bytes, texts) => {
    expect(await textsOf(inMemory(bytes))).toEqual(texts)
    expect(await otherTexts(bytes)).toEqual(texts)
  })

  it.each([
    ['gzip', 2, (bytes: Uint8Array) => gzipSync(bytes)],
    ['brotli', 4, (bytes: Uint8Array) => brotliCompressSync(bytes)],
    ['zstandard', 6, (bytes: Uint8Array) => zstdCompressSync(bytes)],
  ])('pages in %s', async (_, codec, compress) => {
    const first = raw.firstKind(compress(abc), { count: 3, length: abc.length })
    expect(await textsOf(inMemory(raw.fileOf([first], { rows: 3, codec, isNullable: false })))).toEqual([
      '가',
      'bb',
      '',
    ])
    const second = raw.secondKind(raw.run(3, 1), compress(abc), { count: 3, length: abc.length + 2 })
    expect(await textsOf(inMemory(raw.fileOf([second], { rows: 3, codec })))).toEqual(['가', 'bb', ''])
  })

  const text = fc.option(fc.oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.constantFrom('같은 글', '', 'same')))
  const options = fc.record({
    encoding: fc.constantFrom('PLAIN', 'DELTA_LENGTH_BYTE_ARRAY', 'DELTA_BYTE_ARRAY', null),
    codec: fc.constantFrom('SNAPPY', 'UNCOMPRESSED'),
    rowGroupSize: fc.integer({ min: 1, max: 60 }),
    pageSize: fc.integer({ min: 20, max: 1000 }),
    readBytes: fc.integer({ min: 1, max: 5000 }),
  })
  it('any rows of any texts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(text, { minLength: 1, maxLength: 120 }),
        options,
        fc.tuple(fc.nat({ max: 130 }), fc.nat({ max: 130 })),
        async (rows, { encoding, codec, rowGroupSize, pageSize, readBytes }, range) => {
          // Lone surrogates are no text.
          const data = rows.map((row) => (row === null ? null : Buffer.from(row).toString()))
          // Without an encoding the writer takes a dictionary where it helps.
          const column = { name: 'text', data, type: 'STRING', nullable: true, ...(encoding && { encoding }) } as const
          const written = parquetWriteBuffer({ columnData: [column], codec, rowGroupSize, pageSize })
          const file = inMemory(new Uint8Array(written), readBytes)
          const wanted: [number, number] = [Math.min(...range), Math.max(...range)]
          expect(await textsOf(file, wanted)).toEqual(data.slice(...wanted).filter((row) => row !== null))
        },
      ),
      { seed: 3, numRuns: 300 },
    )
  })

  it('little more than the pages that hold the rows', async () => {
    const data = Array.from({ length: 5000 }, (_, row) => `${row} ${'x'.repeat(row % 300)}`)
    const column = { name: 'text', data, type: 'STRING', encoding: 'PLAIN' } as const
    const bytes = new Uint8Array(parquetWriteBuffer({ columnData: [column], codec: 'UNCOMPRESSED', pageSize: 4000 }))
    const file = inMemory(bytes)
    expect(await textsOf(file, [4000, 4010])).toEqual(data.slice(4000, 4010))
    // The end of the file, the list of pages, and a page or two.
    expect(bytes.length).toBeGreaterThan(750_000)
    expect(file.read()).toBeLessThan(90_000)
  })
})

/** The head of numbers as differences: the size of blocks, their parts, how many numbers, and the first. */
const deltas = (block: number, parts: number, count: number, first = 1) =>
  raw.concat(raw.varint(block), raw.varint(parts), raw.varint(count), raw.zigzag(first))
/** Numbers with the same difference between all. */
const steady = (count: number, first: number, difference: number) => {
  const block = raw.concat(raw.zigzag(difference), [0])
  const blocks = Array.from({ length: Math.ceil((count - 1) / 128) }, () => block)
  return raw.concat(deltas(128, 1, count, first), ...blocks)
}
const oneText = (levels: Uint8Array, values: Uint8Array, more: { count: number; encoding?: number; length?: number }) =>
  raw.fileOf([raw.firstKind(raw.concat(raw.levels(levels), values), more)], { rows: more.count })
const MANY = 2 ** 31 - 1

describe('what is refused at once', () => {
  it.each<[string, RegExp, Uint8Array]>([
    ['a run of levels without end', /early|beyond|length/, oneText(raw.run(2 ** 30, 1), abc, { count: 5 })],
    ['more values than a page has', /number of rows/, oneText(raw.run(2 ** 26, 0), abc, { count: 2 ** 26 })],
    ['levels longer than the page', /beyond/, raw.fileOf([raw.firstKind(raw.uint32(MANY), { count: 5 })], { rows: 5 })],
    ['a text longer than the page', /beyond/, oneText(raw.run(1, 1), raw.uint32(MANY), { count: 1 })],
    ['bytes that are no text', /not UTF-8/, oneText(raw.run(1, 1), raw.concat(raw.uint32(1), [0xff]), { count: 1 })],
    ['blocks of no parts', /impossible/, oneText(raw.run(2, 1), deltas(128, 0, 2), { count: 2, encoding: 6 })],
    [
      'blocks of negative parts',
      /impossible/,
      oneText(raw.run(2, 1), deltas(128, 2 ** 32 - 1, 2), { count: 2, encoding: 6 }),
    ],
    ['blocks without end', /impossible/, oneText(raw.run(2, 1), deltas(2 ** 40, 4, 2), { count: 2, encoding: 7 })],
    [
      'another count of differences',
      /number of values/,
      oneText(raw.run(2, 1), deltas(128, 4, MANY), { count: 2, encoding: 7 }),
    ],
    [
      'a dictionary that is missing',
      /missing/,
      oneText(raw.run(1, 1), raw.concat([1], raw.run(1, 0)), { count: 1, encoding: 8 }),
    ],
    [
      'a place beyond the dictionary',
      /does not have/,
      raw.fileOf(
        [
          raw.dictionaryPage(raw.plain('a'), 1),
          raw.secondKind(raw.run(1, 1), raw.concat([8], raw.run(1, 200)), { count: 1, encoding: 8 }),
        ],
        { rows: 1, hasDictionary: true },
      ),
    ],
    ['a dictionary of too many texts', /impossible number/, raw.fileOf([raw.dictionaryPage(abc, MANY)], { rows: 1 })],
    [
      'numbers of 255 bits',
      /too many bits/,
      raw.fileOf(
        [raw.dictionaryPage(abc, 3), raw.secondKind(raw.run(1, 1), Uint8Array.of(255, 3), { count: 1, encoding: 8 })],
        { rows: 1 },
      ),
    ],
    ['a page that promises gigabytes', /too large/, oneText(raw.run(1, 1), abc, { count: 1, length: MANY })],
    [
      'a page that inflates beyond its promise',
      /./,
      raw.fileOf([raw.firstKind(gzipSync(new Uint8Array(1e8)), { count: 3, length: 50 })], { rows: 3, codec: 2 }),
    ],
    ['an unknown encoding', /encoding/, oneText(raw.run(1, 1), abc, { count: 1, encoding: 9 })],
    ['an unknown compression', /compression/, raw.fileOf([raw.firstKind(abc, { count: 3 })], { rows: 3, codec: 3 })],
    [
      'fewer pages than rows',
      /fewer rows/,
      raw.fileOf([raw.firstKind(abc, { count: 3 })], { rows: 9, isNullable: false }),
    ],
    [
      'pages without rows',
      /fewer rows/,
      raw.fileOf([raw.firstKind(abc, { count: 0 })], { rows: 9, isNullable: false }),
    ],
    ['a row group of too many rows', /too large/, raw.fileOf([raw.firstKind(abc, { count: 3 })], { rows: 2 ** 40 })],
    [
      'a number without end',
      /no end/,
      raw.withFooter(new Uint8Array(0), raw.concat([6, 2], new Uint8Array(1e6).fill(0xff))),
    ],
    [
      'a list without end',
      /beyond its end/,
      raw.withFooter(new Uint8Array(0), raw.concat([0x19, 0xfc], raw.varint(MANY))),
    ],
    ['structs in structs', /too deep/, raw.withFooter(new Uint8Array(0), new Uint8Array(1e6).fill(0x1c))],
    ['lists in lists', /too deep/, raw.withFooter(new Uint8Array(0), new Uint8Array(1e6).fill(0x19))],
    [
      'millions of empty structs',
      /too many values/,
      raw.withFooter(new Uint8Array(0), raw.concat([0x19, 0xfc], raw.varint(3e6), new Uint8Array(4e6))),
    ],
  ])('%s', { timeout: 20_000 }, async (_, reason, bytes) => {
    const started = performance.now()
    const error: unknown = await textsOf(inMemory(bytes)).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(AppError)
    expect(error).toMatchObject({ code: 'dataset-row-invalid', details: { path: 'rows.parquet', row: 0 } })
    expect(error).toMatchObject({ details: { reason: expect.stringMatching(reason) as string } })
    expect(performance.now() - started).toBeLessThan(8000)
  })

  it('texts that grow by repeating each other', async () => {
    const count = 40_000
    // Text n takes over the n bytes before it and adds one: a small page of 800 MB.
    const values = raw.concat(steady(count, 0, 1), steady(count, 1, 0), new Uint8Array(count).fill(97))
    const error: unknown = await textsOf(inMemory(oneText(raw.run(count, 1), values, { count, encoding: 7 }))).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({ details: { reason: 'a page of it is too large' } })
  })
})
