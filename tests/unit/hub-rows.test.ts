/** Rows of hosted Parquet datasets: which files hold them, how little is transferred, and what is written. */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Arrived, Finish } from '../../src/main/hub/downloads'
import { Hub } from '../../src/main/hub/hub'
import { DatasetRows } from '../../src/shared/contract/hub'
import type { Download } from '../../src/shared/domain'
import { startHubServer, type HubServer } from '../fixtures/hub-server'

const commit = 'd'.repeat(40)
const converted = 'e'.repeat(40)

/** A text that does not compress, different for every row. */
const textOf = (row: number): string =>
  `${row} 글 ${Array.from({ length: 8 }, (_, n) => createHash('sha512').update(`${row}.${n}`).digest('base64')).join('')}`
const range = (first: number, end: number) => Array.from({ length: end - first }, (_, n) => first + n)

function parquet(first: number, end: number, rowGroupSize = 500): Uint8Array {
  const rows = range(first, end)
  const columnData = [
    { name: 'id', data: rows, type: 'INT32' as const },
    {
      name: 'text',
      data: rows.map((row) => (row % 100 === 7 ? null : textOf(row))),
      type: 'STRING' as const,
      nullable: true,
    },
    { name: 'other', data: rows.map((row) => textOf(-row)), type: 'STRING' as const },
  ]
  return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize }))
}

const parts = [parquet(0, 2000), parquet(2000, 4000)] as const
const uploaded = {
  'data/train-00000-of-00002.parquet': { bytes: parts[0], lfs: true },
  'data/train-00001-of-00002.parquet': { bytes: parts[1], lfs: true },
  'data/test-00000-of-00001.parquet': { bytes: parquet(9000, 9010), lfs: true },
}

let folder = ''
let server: HubServer
let hub: Hub
let arrived: Arrived[]

const finish: Finish = {
  model: () => Promise.reject(new Error('no model here')),
  dataset: (one) => Promise.resolve(arrived.push(one)),
}

const openHub = (env: Record<string, string> = {}): Hub =>
  new Hub({
    env: { HF_ENDPOINT: server.url, HF_HUB_CACHE: join(folder, 'cache'), ...env },
    settings: { get: () => null, set: () => undefined },
    ...{ vault: null, corpora: join(folder, 'corpora'), onUnexpected: () => undefined },
    wait: () => Promise.resolve(),
  })

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'monoscope-hub-'))
  arrived = []
  const main = { commit, files: uploaded }
  const copy = {
    'plain/train/0000.parquet': { bytes: parts[0], lfs: true },
    'plain/train/0001.parquet': { bytes: parts[1], lfs: true },
  }
  const broken = { 'train.parquet': { bytes: Buffer.from('PAR1 this is no Parquet file'.repeat(9)) } }
  server = await startHubServer([
    { kind: 'dataset', name: 'org/raw', revisions: { main } },
    {
      kind: 'dataset',
      name: 'org/both',
      revisions: { main, 'refs/convert/parquet': { commit: converted, files: copy } },
    },
    { kind: 'dataset', name: 'org/broken', revisions: { main: { commit, files: broken } } },
  ])
  hub = openHub()
})

afterEach(async () => {
  await hub.close()
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

async function ended(source: string, rows: Partial<DatasetRows>, room = hub): Promise<Download | undefined> {
  const { id } = room.downloads.start({ kind: 'dataset', source, rows: DatasetRows.parse(rows) }, finish)
  for await (const list of room.downloads.watch(new AbortController().signal)) {
    const download = list.find((one) => one.id === id)
    if (download && ['done', 'failed', 'cancelled'].includes(download.state)) return download
  }
  return undefined
}

const written = (): string[] =>
  readFileSync(arrived.at(-1)?.path ?? '', 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { text: string }).text)
const textsOf = (first: number, end: number) =>
  range(first, end).flatMap((row) => (row % 100 === 7 ? [] : [textOf(row)]))

describe('rows of a dataset', () => {
  it('come from the files that hold them, and little else is transferred', async () => {
    const last = await ended('hub:org/raw', { firstRow: 2600, rows: 20 })
    expect(last).toMatchObject({ state: 'done', datasetId: 1, source: 'org/raw', failure: null })
    expect(last?.doneBytes).toBe(last?.totalBytes)
    expect(written()).toEqual(textsOf(2600, 2620))
    expect(arrived).toEqual([
      {
        path: join(folder, 'corpora', 'org--raw-default-train-2600-20-dddddddd.jsonl'),
        name: 'raw',
        source: `hub:org/raw@${commit} default/train rows 2600..2620`,
      },
    ])
    const all = parts[0].length + parts[1].length
    expect(all).toBeGreaterThan(4_000_000)
    expect(server.bytesServed()).toBeLessThan(all / 5)
    expect(server.seen.filter(({ path }) => path.includes('/resolve/')).every(({ range: asked }) => asked)).toBe(true)
  })

  it('go over the borders of row groups and files, without rows that have no text', async () => {
    expect(await ended('org/raw', { firstRow: 1400, rows: 1300 })).toMatchObject({ state: 'done' })
    expect(written()).toEqual(textsOf(1400, 2700))
    expect(written()).toHaveLength(1287)
  })

  it('end with the dataset', async () => {
    expect(await ended('org/raw', { split: 'test', firstRow: 4, rows: 100 })).toMatchObject({ state: 'done' })
    expect(written()).toEqual(textsOf(9004, 9010))
    expect(arrived[0]?.source).toBe(`hub:org/raw@${commit} default/test rows 4..10`)
  })

  it('come from the copy that the hub converted, unless a revision was named', async () => {
    expect(await ended('org/both', { firstRow: 1990, rows: 20 })).toMatchObject({ state: 'done' })
    expect(arrived[0]?.source).toBe(`hub:org/both@${converted} plain/train rows 1990..2010`)
    expect(written()).toEqual(textsOf(1990, 2010))
    expect(await ended('org/both@main', { rows: 5 })).toMatchObject({ state: 'done', source: 'org/both@main' })
    expect(arrived[1]?.source).toBe(`hub:org/both@${commit} default/train rows 0..5`)
    expect(readdirSync(join(folder, 'corpora'))).toHaveLength(2)
  })

  it('are asked for again when the line breaks', async () => {
    const path = 'data/train-00000-of-00002.parquet'
    server.faults.set(path, [{ endAfter: 3 }, {}, { status: 503 }, { cutAfter: 1000 }])
    expect(await ended('org/raw', { rows: 30 })).toMatchObject({ state: 'done' })
    expect(written()).toEqual(textsOf(0, 30))
  })

  it.each([
    ['org/raw', { split: 'dev' }, 'hub-rows-missing', { known: 'default/test, default/train' }],
    ['org/raw', { config: 'ko' }, 'hub-rows-missing', { config: 'ko' }],
    ['org/raw', { firstRow: 4000 }, 'hub-rows-missing', { known: 'default/train (4,000)' }],
    ['org/raw', { textField: 'content' }, 'dataset-column-missing', { columns: 'id, text, other' }],
    ['org/raw', { textField: 'id' }, 'dataset-column-missing', { columns: 'id (number)' }],
    ['org/broken', {}, 'dataset-row-invalid', { path: 'train.parquet' }],
    ['org/none', {}, 'hub-not-found', { what: 'dataset', source: 'org/none' }],
  ])('%s %j fails with %s', async (source, rows, code, details) => {
    const last = await ended(source, rows)
    expect(last).toMatchObject({ state: 'failed', failure: { code } })
    expect(last?.failure?.details).toMatchObject(details)
    expect(arrived).toEqual([])
    // Not even an empty or half file stays.
    expect(readdirSync(folder).flatMap((name) => readdirSync(join(folder, name)))).toEqual([])
  })

  it('are not taken from a server that sends whole files only', async () => {
    server.faults.set('data/train-00000-of-00002.parquet', [{ ignoreRange: true }])
    expect(await ended('org/raw', {})).toMatchObject({ failure: { code: 'hub-unreachable' } })
  })
})

describe('offline', () => {
  it('rows come from Parquet files that another program has cached whole', async () => {
    const offline = openHub({ HF_HUB_OFFLINE: '1' })
    expect(await ended('org/raw', { rows: 5 }, offline)).toMatchObject({ failure: { code: 'hub-offline' } })
    const root = join(folder, 'cache', 'datasets--org--raw')
    const put = (path: string, content: string | Uint8Array) => {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), content)
    }
    put('refs/main', commit)
    put(`snapshots/${commit}/data/train-00001-of-00002.parquet`, parts[1])
    expect(await ended('org/raw', { rows: 5 }, offline)).toMatchObject({ failure: { code: 'hub-offline' } })
    put(`snapshots/${commit}/data/train-00000-of-00002.parquet`, parts[0])
    expect(await ended('org/raw', { firstRow: 1998, rows: 5 }, offline)).toMatchObject({ state: 'done' })
    expect(written()).toEqual(textsOf(1998, 2003))
    expect(server.seen).toEqual([])
  })
})
