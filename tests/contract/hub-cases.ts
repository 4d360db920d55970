/** The hub's calls over a real workspace and worker, against the stand-in of the hub: a model and rows of a dataset. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { expect } from 'vitest'
import type { MonoscopeClient } from '../../src/shared/contract'
import type { Download } from '../../src/shared/domain'
import { modelFolder } from '../fixtures/built'
import { startHubServer, type HubServer } from '../fixtures/hub-server'

const commit = 'f'.repeat(40)

/** Starts the stand-in and makes it the hub of every workspace that is opened after. */
export async function standInForHub(folder: string): Promise<HubServer> {
  const text = ['One day a cat sat.', 'A dog ran.', 'The sun was warm.']
  const columnData = [{ name: 'text', data: text, type: 'STRING' as const }]
  const train = { bytes: new Uint8Array(parquetWriteBuffer({ columnData })), lfs: true }
  const names = readdirSync(modelFolder).filter((name) => /^(config|tokenizer.*)\.json$|\.safetensors$/.test(name))
  const files = Object.fromEntries(
    names.map((name) => [name, { bytes: readFileSync(join(modelFolder, name)), lfs: name.endsWith('.safetensors') }]),
  )
  const server = await startHubServer([
    { kind: 'model', name: 'tiny/stories', revisions: { main: { commit, files } } },
    { kind: 'dataset', name: 'tiny/texts', revisions: { main: { commit, files: { 'train.parquet': train } } } },
  ])
  process.env.HF_ENDPOINT = server.url
  process.env.HF_HUB_CACHE = join(folder, 'hub')
  delete process.env.HF_TOKEN
  delete process.env.HUGGING_FACE_HUB_TOKEN
  delete process.env.HF_HUB_OFFLINE
  return server
}

/** The last state of a download. */
export function endOf(client: MonoscopeClient, downloadId: number): Promise<Download> {
  return new Promise((resolve, reject) => {
    const stop = client.feed(
      'downloads.watch',
      {},
      (downloads) => {
        const download = downloads.find(({ id }) => id === downloadId)
        if (!download || !['done', 'failed', 'cancelled'].includes(download.state)) return
        stop()
        resolve(download)
      },
      (error) => reject(error ?? new Error('the feed ended')),
    )
  })
}

/** Downloads a model and a dataset into the library and takes them out again. */
export async function downloadThings(client: MonoscopeClient, folder: string): Promise<void> {
  const started = await client.call('downloads.start', { kind: 'model', source: 'hub:tiny/stories' })
  const model = await endOf(client, started.id)
  expect(model).toMatchObject({ state: 'done', source: 'tiny/stories', failure: null })
  const { modelId, id: downloadId } = model
  const added = (await client.call('models.list', {})).find(({ id }) => id === modelId)
  expect(added).toMatchObject({ name: 'stories', family: 'llama', source: `hub:tiny/stories@${commit}` })
  expect(added?.path).toBe(join(folder, 'hub', 'models--tiny--stories', 'snapshots', commit))
  const rows = { firstRow: 1, rows: 10 }
  const asked = await client.call('downloads.start', { kind: 'dataset', source: 'tiny/texts', name: 'two', rows })
  const { datasetId, failure } = await endOf(client, asked.id)
  expect(failure).toBeNull()
  const dataset = (await client.call('datasets.list', {})).find(({ id }) => id === datasetId)
  const source = `hub:tiny/texts@${commit} default/train rows 1..3`
  expect(dataset).toMatchObject({ name: 'two', documents: 2, format: 'jsonl', textField: 'text', source })
  await client.call('downloads.cancel', { downloadId })
  await client.call('downloads.dismiss', { downloadId })
  await client.call('models.remove', { modelId: modelId ?? 0 })
  await client.call('datasets.remove', { datasetId: datasetId ?? 0 })
}

/** The switch is remembered, and a host without a keychain keeps no token. */
export async function switchHub(client: MonoscopeClient, folder: string): Promise<void> {
  const status = await client.call('hub.status', {})
  expect(status).toEqual({
    ...{ isOffline: false, isOfflineByEnvironment: false, token: 'none', canKeepToken: false },
    cacheFolder: join(folder, 'hub'),
  })
  expect(await client.call('hub.setOffline', { offline: true })).toEqual({ ...status, isOffline: true })
  const { id } = await client.call('downloads.start', { kind: 'model', source: 'tiny/none' })
  expect(await endOf(client, id)).toMatchObject({ state: 'failed', failure: { code: 'hub-offline' } })
  expect(await client.call('hub.setOffline', { offline: false })).toEqual(status)
  await expect(client.call('hub.setToken', { token: 'hf_x' })).rejects.toMatchObject({ code: 'hub-token-unkept' })
  await expect(client.call('downloads.start', { kind: 'model', source: 'a/../b' })).rejects.toMatchObject({
    code: 'hub-source-invalid',
  })
}
