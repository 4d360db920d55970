/** Answers about written catalogs. */
/* eslint-disable @typescript-eslint/require-await -- async turns what the store throws into a rejection */
import { resolve } from 'node:path'
import { catalog } from '../../shared/contract/catalog'
import type { HandlersOf } from '../../shared/wire'
import { csvLines, jsonLines, type CatalogSource } from './catalog-lines'
import { writeNewFile } from './new-file'
import { atlasText, type Services } from './services'

export const catalogHandlers = (services: Services) => {
  const { store, paths, version } = services
  return {
    'catalog.list': async () => store.exports.list(),
    'catalog.export': async ({ saeId, format, which, folder }, signal) => {
      const sae = store.saes.get(saeId)
      const model = store.models.get(sae.modelId)
      const indexes = store.features.indexes(saeId, which)
      const source: CatalogSource = {
        store,
        sae,
        model,
        indexes,
        version,
        text: await atlasText(services, sae),
        signal,
      }
      const lines = format === 'jsonl' ? jsonLines(source) : csvLines(source)
      const target = {
        folder: folder === undefined ? paths.exports : resolve(folder),
        name: `${sae.name} features`,
        extension: format,
      }
      const { path, bytes } = await writeNewFile(target, lines)
      return store.exports.add({ saeId, format, path, features: indexes.length, bytes })
    },
  } satisfies HandlersOf<typeof catalog>
}
