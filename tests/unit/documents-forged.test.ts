/** Small Parquet files that promise far more than they hold: each is refused soon, and without the memory it asks for. */
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { refusalOf, scratchFolder, textsOf } from './dataset-files'
import { forgedParquet, parquetWithFooter, varint, withLevels, type Forgery } from './parquet-forge'

const { write, remove } = scratchFolder()
afterAll(remove)

const LARGEST = 2 ** 31 - 1
/** Most memory one of the refusals may take, and the most time; measured: 9 MB and 30 ms. */
const LIMIT_BYTES = 64e6
const LIMIT_MS = 5000
/** Twenty packed pieces of 10 MB, made singly, as making 200 MB at once would raise the peak that is looked at below. */
const twenty = (piece: Uint8Array) => Buffer.concat(Array.from({ length: 20 }, () => piece))
const zeros = new Uint8Array(10e6)

async function refusedCheaply(bytes: Uint8Array): Promise<string> {
  const path = write('forged.parquet', bytes)
  const [peak, started] = [process.resourceUsage().maxRSS, performance.now()]
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  const error = await refusalOf({ path })
  const after = process.memoryUsage()
  expect(performance.now() - started).toBeLessThan(LIMIT_MS)
  // What was allocated and not yet collected is seen here, and what was also written to in the peak, which is in kilobytes.
  expect(after.arrayBuffers - arrayBuffers + after.heapUsed - heapUsed).toBeLessThan(LIMIT_BYTES)
  expect(1024 * (process.resourceUsage().maxRSS - peak)).toBeLessThan(LIMIT_BYTES)
  expect(error).toMatchObject({ code: 'dataset-row-invalid', details: { path } })
  return String(error.details.reason)
}

it('reads a file that is not forged', async () => {
  expect(await textsOf({ path: write('honest.parquet', forgedParquet({})) })).toEqual(['ab', 'ab', 'ab'])
  const [second, third] = [withLevels(3, 0), withLevels(LARGEST >> 4, 0)]
  expect(await textsOf({ path: write('nulls.parquet', forgedParquet({ body: second })) })).toEqual([])
  // A run may be longer than its page; what lies beyond is nothing.
  expect(await textsOf({ path: write('long.parquet', forgedParquet({ body: third })) })).toEqual([])
})

describe('a Parquet file is refused that promises', () => {
  it.each<[string, Forgery]>([
    ['a trillion rows', { rows: 2n ** 40n }],
    ['a hundred million rows and has three', { rows: 100_000_000n }],
    ['four rows and has three', { rows: 4n }],
    ['two billion values in a page', { values: LARGEST }],
    ['a hundred million values in a page and its group', { rows: 100_000_000n, values: 100_000_000 }],
    ['a page of 2 GB when it is inflated', { codec: 'SNAPPY', inflated: LARGEST }],
    ['a page of 2 GB as it is', { packed: LARGEST }],
    ['a page of less than nothing', { packed: -20 }],
    ['a column of a terabyte', { chunkBytes: 2n ** 40n }],
    ['a text of 4 GB', { body: Uint8Array.from([2, 0, 0, 0, 6, 1, 255, 255, 255, 255, 97]) }],
    ['levels of 4 GB', { body: Uint8Array.from([255, 255, 255, 255, 6, 1]) }],
    ['a dictionary that is not there', { encoding: 'RLE_DICTIONARY', body: withLevels(3, 1, [1, 6, 0]) }],
    [
      'lengths of which there are none',
      { encoding: 'DELTA_LENGTH_BYTE_ARRAY', body: withLevels(3, 1, varint(2 ** 30)) },
    ],
  ])('%s', async (_, forgery) => {
    expect(await refusedCheaply(forgedParquet(forgery))).not.toBe('')
  })

  it.each<[string, Forgery]>([
    ['gzip', { codec: 'GZIP', inflated: 20, body: twenty(gzipSync(zeros)) }],
    ['zstandard', { codec: 'ZSTD', inflated: 20, body: twenty(zstdCompressSync(zeros)) }],
  ])('20 bytes and inflates to 200 MB with %s', async (_, forgery) => {
    expect(await refusedCheaply(forgedParquet(forgery))).not.toBe('')
  })

  it.each<[string, Uint8Array]>([
    ['a list of two billion', Uint8Array.from([0x19, 0xfc, ...varint(LARGEST)])],
    [
      'lists of 30 million within lists',
      Uint8Array.from([0x19, ...Array.from({ length: 12 }, () => [0xf9, ...varint(2 ** 25 - 1)]).flat()]),
    ],
    ['bytes without end', Uint8Array.from([0x18, ...varint(LARGEST)])],
    ['a million structs within structs', new Uint8Array(1e6).fill(0x1c)],
    ['a number without end', new Uint8Array(1e6).fill(0xff)],
  ])('in its footer %s', async (_, footer) => {
    expect(await refusedCheaply(parquetWithFooter(footer))).not.toBe('')
  })
})
