/** Arbitrary and damaged files of every format: documents or an AppError, soon, whatever the bytes are. */
import fc from 'fast-check'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, describe, expect, it } from 'vitest'
import { readDocuments } from '../../src/main/files/documents'
import { AppError } from '../../src/shared/errors'
import { scratchFolder } from './dataset-files'

const { write, remove } = scratchFolder()
afterAll(remove)

/** Most time one small file may take, in milliseconds: far above what any took, far below what a person would wait. */
const LIMIT_MS = 5000
const RUNS = { seed: 20240607, numRuns: 150 }

const texts = Array.from({ length: 120 }, (_, n) =>
  n % 3 === 0 ? `${n % 5} 글` : `${'문서, "x" '.repeat(n % 9)}${n}\n끝`,
)
const parquet = (codec: 'SNAPPY' | 'UNCOMPRESSED') =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'text', data: texts.map((text, n) => (n % 10 === 9 ? null : text)), type: 'STRING', nullable: true },
        { name: 'n', data: texts.map((_, n) => n), type: 'INT32' },
      ],
      ...{ rowGroupSize: 50, codec },
    }),
  )
const valid: Record<string, Uint8Array> = {
  txt: Buffer.from(texts.join('\n<|endoftext|>\n')),
  jsonl: Buffer.from(texts.map((text) => JSON.stringify({ text })).join('\n')),
  csv: Buffer.from(`n,text\r\n${texts.map((text, n) => `${n},"${text.replaceAll('"', '""')}"\r\n`).join('')}`),
  tsv: Buffer.from(`text\tn\n${texts.map((text, n) => `"${text.replaceAll('"', '""')}"\t${n}\n`).join('')}`),
  parquet: parquet('SNAPPY'),
  'plain.parquet': parquet('UNCOMPRESSED'),
}

/** Reads to the end or to an AppError. @returns whether it was read; @throws whatever else happens */
async function isRead(format: string, bytes: Uint8Array): Promise<boolean> {
  const path = write(`damaged.${format}`, bytes)
  const started = performance.now()
  try {
    for await (const { text } of readDocuments({ path, textField: 'text' })) {
      if (typeof text !== 'string') throw new Error('a document that is no text')
    }
    return true
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    expect(error.details.path).toBe(path)
    expect(error.message).toContain(path)
    return false
  } finally {
    expect(performance.now() - started).toBeLessThan(LIMIT_MS)
  }
}

/** One to four damages: bytes replaced, left out, put in or repeated, or the rest cut off. */
const damagedBytes = (bytes: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc
    .array(
      fc.record({
        kind: fc.constantFrom('set', 'set', 'flip', 'drop', 'insert', 'repeat', 'cut'),
        // From either end: a Parquet file is described at its end.
        at: fc.integer({ min: -bytes.length, max: bytes.length - 1 }),
        value: fc.uint8Array({ minLength: 1, maxLength: 6 }),
      }),
      { minLength: 1, maxLength: 4 },
    )
    .map((damages) =>
      damages.reduce<Uint8Array>((left, { kind, at, value }) => {
        const place = at < 0 ? Math.max(0, left.length + at) : Math.min(at, left.length)
        const [before, after] = [left.subarray(0, place), left.subarray(place)]
        switch (kind) {
          case 'set':
            return Buffer.concat([before, value, after.subarray(value.length)])
          case 'flip':
            return Buffer.concat([
              before,
              after.subarray(0, 1).map((byte) => byte ^ (value[0] ?? 1)),
              after.subarray(1),
            ])
          case 'drop':
            return Buffer.concat([before, after.subarray(value.length)])
          case 'insert':
            return Buffer.concat([before, value, after])
          case 'repeat':
            return Buffer.concat([before, after.subarray(0, 40), after])
          default:
            return before
        }
      }, bytes),
    )

describe.each(Object.entries(valid))('a .%s file', (format, bytes) => {
  it('is read when nothing is wrong with it', async () => {
    expect(await isRead(format, bytes)).toBe(true)
  })

  it('gives documents or an AppError when it is damaged', { timeout: 60_000 }, async () => {
    let [read, refused] = [0, 0]
    await fc.assert(
      fc.asyncProperty(damagedBytes(bytes), async (damaged) => {
        if (await isRead(format, damaged)) read += 1
        else refused += 1
      }),
      RUNS,
    )
    expect(read + refused).toBe(RUNS.numRuns)
    expect(refused).toBeGreaterThan(0)
  })

  it('gives documents or an AppError whatever it holds', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.string({ unit: 'binary' })), async (content) => {
        await isRead(format, typeof content === 'string' ? Buffer.from(content) : content)
      }),
      RUNS,
    )
  })
})

describe('a Parquet footer', () => {
  // Bytes between a valid beginning and a valid end reach the parser of the footer, as random files do not.
  it('of arbitrary bytes is refused', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 4, maxLength: 200 }), async (footer) => {
        const length = Buffer.alloc(4)
        length.writeUInt32LE(footer.length)
        const file = Buffer.concat([Buffer.from('PAR1'), footer, length, Buffer.from('PAR1')])
        expect(await isRead('parquet', file)).toBe(false)
      }),
      { ...RUNS, numRuns: 500 },
    )
  })
})
