/** A dataset is streamed: reading a large file takes hardly more memory than a small one. Each is read in a process of its own. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'

const ROOT = resolve(import.meta.dirname, '../..')
/** Inside node_modules, so that packages resolve from there and nothing else looks at it. */
const built = join(ROOT, 'node_modules', '.cache', `monoscope-documents-${process.pid}`)
const canMeasure = existsSync('/proc/self/status')
if (!canMeasure) process.stdout.write('skipped: this system does not tell the peak memory of a process\n')
const Answer = z.object({ documents: z.number(), characters: z.number(), peak: z.number() })

/** Of the language, the code, and the collector, which lets go of read documents late. Measured: 60 to 90 MB. */
const EXTRA_BYTES = 150e6
/** A document of 1,000 bytes. */
const TEXT = `${'한글 and words. '.repeat(40)}${'x'.repeat(280)}`

/** Writes `documents` copies of a row below a header, a megabyte at a time. */
async function repeat(path: string, header: string, row: string, documents: number): Promise<void> {
  const file = await open(path, 'w')
  try {
    await file.write(header)
    const many = Buffer.from(row.repeat(1000))
    for (let written = 0; written < documents; written += 1000) await file.write(many)
  } finally {
    await file.close()
  }
}

const json = JSON.stringify({ text: TEXT })
const writers: Record<string, (path: string, documents: number) => Promise<void>> = {
  txt: (path, documents) => repeat(path, '', `${TEXT}\n<|endoftext|>\n`, documents),
  jsonl: (path, documents) => repeat(path, '', `${json}\n`, documents),
  csv: (path, documents) => repeat(path, 'n,text\n', `1,"${TEXT}"\n`, documents),
  /** One row group, whose pages are a megabyte each. */
  parquet: async (path, documents) => {
    const data = Array.from({ length: documents }, (_, n) => `${n} ${TEXT}`)
    const columnData = [{ name: 'text', data, type: 'STRING' as const }]
    const bytes = parquetWriteBuffer({ columnData, rowGroupSize: documents, codec: 'UNCOMPRESSED' })
    await writeFile(path, new Uint8Array(bytes))
  },
}

async function read(path: string): Promise<z.infer<typeof Answer>> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(built, 'documents-memory-child.js'), path])
  return Answer.parse(JSON.parse(stdout))
}

let folder: string
beforeAll(async () => {
  if (!canMeasure) return
  folder = await mkdtemp(join(tmpdir(), 'monoscope-documents-'))
  await build({
    configFile: false,
    root: ROOT,
    logLevel: 'silent',
    build: {
      ...{ ssr: join(ROOT, 'tests/unit/documents-memory-child.ts'), outDir: built },
      ...{ emptyOutDir: true, target: 'node24' },
    },
  })
}, 60_000)
afterAll(async () => {
  await rm(built, { recursive: true, force: true })
  if (canMeasure) await rm(folder, { recursive: true, force: true })
})

describe.skipIf(!canMeasure)('the peak of memory while reading', () => {
  it.each([
    ['txt', 200_000],
    ['jsonl', 200_000],
    ['csv', 100_000],
    ['parquet', 100_000],
  ])('hardly grows with a .%s file of %i kB', { timeout: 60_000 }, async (format, documents) => {
    const [small, large] = [join(folder, `small.${format}`), join(folder, `large.${format}`)]
    await writers[format]?.(small, 1000)
    await writers[format]?.(large, documents)
    expect((await stat(large)).size).toBeGreaterThan(1000 * documents)
    const [few, many] = [await read(small), await read(large)]
    await Promise.all([rm(small), rm(large)])
    expect([few.documents, many.documents]).toEqual([1000, documents])
    expect(many.characters).toBeGreaterThan(documents * TEXT.length - 1)
    const grown = Math.round((many.peak - few.peak) / 1e6)
    process.stdout.write(`reading ${documents / 1000} MB of ${format} took ${grown} MB more than 1 MB of it\n`)
    expect(many.peak - few.peak).toBeLessThan(EXTRA_BYTES)
  })
})
