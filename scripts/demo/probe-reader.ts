/** Reads texts with the demo's model and first autoencoder, and tells which features fire; knows from the atlas what they are about. */
import { loadModel, loadTokenizer } from '../../src/main/engine/lm'
import { encodeText } from '../../src/main/engine/measure/text-codes'
import { createSae } from '../../src/main/engine/sae/loaded'
import { readAtlas } from '../../src/main/files/atlas-file'
import type { Atlas } from '../../src/main/files/atlas-file'
import { CorpusTokens } from '../../src/main/files/corpus-tokens'
import { readSaelens } from '../../src/main/files/saelens'
import { openBackend } from '../../src/main/engine/tf'
import { runAtlas, sinkNormOf } from '../../src/main/tasks/atlas'
import { readDemoLabels } from '../../src/main/workspace/demo-labels'
import type { DemoFiles } from '../../src/main/workspace/demo-files'
import { toText } from '../../src/shared/token-spans'
import { demoAtlasSpec } from './atlas-spec'

const STRONGEST = 20

/** The largest activation of each feature that is above zero on any token, as a share of its largest in the atlas. */
export type Firing = { shares: Map<number, number>; tokens: number }

export type ProbeReader = {
  dSae: number
  backend: string
  /** A text, or each of its windows, with its tokens. */
  read(text: string): Promise<Firing>
  readWindows(text: string): Promise<Firing[]>
  /** Share of the atlas's tokens on which a feature fires. */
  density(feature: number): number
  /** The tokens its strongest contexts are marked at, the most frequent first, with how often; and its label, if it has one. */
  about(feature: number): { tokens: [string, number][]; label: string | null }
}

/** @param folder for what is unpacked */
export async function openProbeReader(files: DemoFiles, demo: string, folder: string): Promise<ProbeReader> {
  const backend = await openBackend()
  const spec = await demoAtlasSpec(files, folder)
  await runAtlas(spec, { backend, threadEntry: '', isCancelled: () => false, send: () => undefined })
  const [atlas, corpus] = [await readAtlas(spec.file), CorpusTokens.open(spec.tokensFile)]
  const { labels } = await readDemoLabels(demo)
  const model = await loadModel(spec.model.path)
  const tokenizer = await loadTokenizer(spec.model.path, model.config.vocabulary)
  const stored = await readSaelens(spec.sae.path)
  const sae = createSae(stored, spec.sae.path)
  const { hookName, contextSize } = spec.sae
  const { bosId, specialIds } = tokenizer
  const own = { model, sae, hookName, bosId, specialIds, contextSize, sinkNorm: sinkNormOf(stored) }
  const windowTokens = contextSize - (tokenizer.bosId === null ? 0 : 1)
  const readIds = async (ids: number[]): Promise<Firing> => {
    const { codes } = await encodeText(ids, own, () => Promise.resolve(true))
    const shares = new Map<number, number>()
    for (let at = 0; at < (codes.starts.at(-1) ?? 0); at++) {
      const feature = codes.features[at] ?? 0
      const share = (codes.values[at] ?? 0) / (atlas.max[feature] ?? 0)
      if (share > (shares.get(feature) ?? 0)) shares.set(feature, share)
    }
    return { shares, tokens: ids.length }
  }
  return {
    ...{ dSae: sae.dSae, backend: backend.name },
    read: async (text) => readIds(await tokenizer.encode(text)),
    readWindows: async (text) => {
      const ids = await tokenizer.encode(text)
      const found: Firing[] = []
      for (let at = 0; at < ids.length; at += windowTokens) found.push(await readIds(ids.slice(at, at + windowTokens)))
      return found
    },
    density: (feature) => (atlas.fired[feature] ?? 0) / atlas.tokens,
    about: (feature) => ({
      tokens: strongestTokens(atlas, feature, (document, position) =>
        toText(corpus.read(document, position, 1), tokenizer.pieces),
      ),
      label: labels.find((label) => label.feature === feature)?.en ?? null,
    }),
  }
}

function strongestTokens(
  { contexts }: Atlas,
  feature: number,
  textAt: (document: number, position: number) => string,
): [string, number][] {
  const counts = new Map<string, number>()
  const first = contexts.feature.indexOf(feature)
  for (let row = first; row >= 0 && row < first + STRONGEST && contexts.feature[row] === feature; row++) {
    const text = textAt(contexts.document[row] ?? 0, (contexts.start[row] ?? 0) + (contexts.marked[row] ?? 0))
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  return [...counts].sort((a, b) => b[1] - a[1])
}
