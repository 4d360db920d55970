/** Files that change under an atlas: said while they differ, not when only their time does, and no more when they are back. */
import { appendFileSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { MonoscopeClient } from '../../src/shared/contract'

/** Whatever computes from the files of an autoencoder computes nothing from others. */
async function expectRefused(
  client: MonoscopeClient,
  ask: { saeId: number; datasetId: number },
  path: string | undefined,
): Promise<void> {
  const { saeId } = ask
  for (const start of [
    () => client.call('evaluations.start', ask),
    () => client.call('atlas.start', ask),
    () => client.call('neurons.start', ask),
    () => client.call('map.start', { saeId }),
  ]) {
    await expect(start()).rejects.toMatchObject({ code: 'files-changed', details: { path } })
  }
}

export async function changeFiles(
  client: MonoscopeClient,
  { saeId, datasetId }: { saeId: number; datasetId: number },
): Promise<void> {
  const sae = (await client.call('saes.list', {})).find(({ id }) => id === saeId)
  const dataset = (await client.call('datasets.list', {})).find(({ id }) => id === datasetId)
  const weights = join(sae?.path ?? '', 'sae_weights.safetensors')
  const text = dataset?.path ?? ''
  const changed = async () => (await client.call('atlas.changed', { saeId })).map(({ kind, path }) => [kind, path])
  expect(await changed()).toEqual([])
  // Another time alone is another stamp, and the same hash.
  utimesSync(weights, 1, 1)
  expect(await changed()).toEqual([])

  const [before, story] = [readFileSync(weights), readFileSync(text)]
  const other = Uint8Array.from(before)
  other[other.length - 1]! ^= 1
  writeFileSync(weights, other)
  expect(await changed()).toEqual([['sae', sae?.path]])
  await expectRefused(client, { saeId, datasetId }, sae?.path)
  appendFileSync(text, '{"text": "One more."}\n')
  expect(await changed()).toEqual([
    ['sae', sae?.path],
    ['dataset', text],
  ])
  writeFileSync(weights, before)
  // Of the text that changed, too.
  const evaluation = client.call('evaluations.start', { saeId, datasetId })
  await expect(evaluation).rejects.toMatchObject({ code: 'files-changed', details: { path: text } })
  truncateSync(text, story.length)
  expect(await changed()).toEqual([])

  // What says how the weights are read counts as well, and each thing is named once.
  const config = join(sae?.path ?? '', 'cfg.json')
  const settings = readFileSync(config, 'utf8')
  writeFileSync(config, settings.replace(/}\s*$/, ', "more": 1}'))
  expect(await changed()).toEqual([['sae', sae?.path]])
  writeFileSync(weights, other)
  expect(await changed()).toEqual([['sae', sae?.path]])
  writeFileSync(config, settings)
  writeFileSync(weights, before)
  expect(await changed()).toEqual([])
}
