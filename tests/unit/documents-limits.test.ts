/** Limits of reading datasets: rows of endless columns, folders of endless files, and readers that nobody waits for any more. */
import { mkdirSync, openSync, closeSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { inspectDataset, readDocuments } from '../../src/main/files/documents'
import { listFiles } from '../../src/main/files/documents/files'
import { temporaryFolder } from '../fixtures/samples'

const MB = 1024 ** 2

/** A file of a beginning and many times the same bytes. */
function write(name: string, beginning: string, again: string, times: number): string {
  const path = join(temporaryFolder(), name)
  const file = openSync(path, 'w')
  writeSync(file, beginning)
  for (let n = 0; n < times; n++) writeSync(file, again)
  closeSync(file)
  return path
}

const inspect = (path: string, signal?: AbortSignal) => inspectDataset({ path, textField: 'text' }, signal)

describe('a row of a CSV file', () => {
  it.each([
    ['empty cells', ','.repeat(MB)],
    ['cells of a line break', '"\n",'.repeat(MB / 5)],
  ])('is refused that goes on with %s for 100 MB', { timeout: 60_000 }, async (_, cells) => {
    const path = write('wide.csv', 'a,text\n1,ok\n', cells, 100)
    const before = process.memoryUsage().heapUsed
    await expect(inspect(path)).rejects.toMatchObject({
      ...{ code: 'dataset-row-invalid', details: { path, row: 3, reason: 'it has more than 2,000,000 columns' } },
    })
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(200 * MB)
  })

  it('may have many cells below many other rows', { timeout: 60_000 }, async () => {
    // More separators than a row may have, in rows that end.
    const path = write('numbers.csv', `text${',c'.repeat(20)}\n`, `1${',2'.repeat(20)}\n`.repeat(1000), 150)
    expect(await inspect(path)).toMatchObject({ documents: 150_000 })
  })
})

describe('a folder', () => {
  it('is refused with more files than the limit, wherever they are in it', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'below'))
    for (const name of ['1.txt', 'below/2.txt', '3.txt']) closeSync(openSync(join(folder, name), 'w'))
    expect(await listFiles(folder, 3)).toHaveLength(3)
    await expect(listFiles(folder, 2)).rejects.toMatchObject({ code: 'dataset-files-many', details: { limit: 2 } })
  })
})

describe('reading ends when nobody waits any more', () => {
  const stopped = () => {
    const abort = new AbortController()
    abort.abort()
    return abort.signal
  }

  it('before the first document', async () => {
    const path = write('some.jsonl', '', '{"text":"a"}\n', 10)
    await expect(inspect(path, stopped())).rejects.toMatchObject({ code: 'cancelled' })
    await expect(readDocuments({ path, textField: 'text' }, stopped()).next()).rejects.toMatchObject({
      code: 'cancelled',
    })
  })

  it('while a text is looked through for separators', async () => {
    const path = write('long.txt', '', `${'words '.repeat(20)}\n\n`.repeat(1000), 200)
    const abort = new AbortController()
    const started = performance.now()
    const answer = inspect(path, abort.signal)
    setTimeout(() => abort.abort(), 20)
    await expect(answer).rejects.toMatchObject({ code: 'cancelled' })
    const stoppedAfter = performance.now() - started
    const whole = performance.now()
    await inspect(path)
    // Looking for separators is a third of the work at least: stopping only after it would be seen.
    expect(stoppedAfter).toBeLessThan((performance.now() - whole) / 4)
  })
})
