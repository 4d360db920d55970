/** A corpus for the toy model, and what a collection of its activations leaves on disk. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ActivationIndex } from '../../src/main/files/activation-shards'
import { sha256OfFile } from '../../src/main/files/saelens'
import type { LanguageModel } from '../../src/main/engine/lm'
import { modelHooks } from '../../src/main/engine/train/activations'
import { ShardCollector } from '../../src/main/engine/train/collect-shards'
import type { CollectOptions } from '../../src/main/engine/train/collect-shards'
import { collectCorpus } from '../../src/main/engine/train/contexts'
import type { Corpus } from '../../src/main/engine/train/contexts'
import { Random } from '../../src/main/engine/train/random'
import { TOY, toyModel, toyTokenizer, TOY_TOKENS } from './toy-model'

export const HOOKS = ['hook_embed', 'blocks.0.hook_resid_post']
export const SEED = 4

/** Documents of random tokens, some of them shorter than a window, some longer. */
async function* toyDocuments(count: number) {
  const random = Random.fromSeed(8)
  for (let index = 0; index < count; index++) {
    const ids = Array.from({ length: 1 + random.int(50) }, () => 2 + random.int(TOY.vocabulary - 2))
    yield await Promise.resolve({ index, text: ids.join(' ') })
  }
}

export function toyCorpus(documents: number, neededTokens = 1e6): Promise<Corpus> {
  const { contextSize, bosId } = TOY
  return collectCorpus(toyDocuments(documents), toyTokenizer, { contextSize, bosId, seed: SEED, neededTokens })
}

/** The toy with the vector of one token changed wherever it occurs, or with null those of all. */
export function spoiledToy(change: (values: Float32Array) => Float32Array, tokenId: number | null): LanguageModel {
  const model = toyModel()
  const forward = model.forward.bind(model)
  model.forward = (ids, options) => {
    const result = forward(ids, options)
    const tokens = ids.dataSync()
    for (const tensor of Object.values(result.captured)) {
      const values = tensor.dataSync<'float32'>()
      tokens.forEach((id, at) => {
        if (tokenId !== null && id !== tokenId) return
        values.set(change(values.slice(at * TOY.dIn, (at + 1) * TOY.dIn)), at * TOY.dIn)
      })
      tensor.dataSync = () => values as never
    }
    return result
  }
  return model
}

type Changes = Partial<Pick<CollectOptions, 'found' | 'onProgress' | 'shardBytes'>> & {
  hookNames?: readonly string[]
  model?: LanguageModel
}

/** Collects a corpus into a folder; shards of 170 windows, one forward pass each. */
export async function collectToy(
  folder: string,
  corpus: Corpus,
  changes: Changes = {},
): Promise<ActivationIndex | null> {
  const { hookNames = HOOKS, model = toyModel(), ...rest } = changes
  const source = modelHooks(model, hookNames, TOY_TOKENS)
  const facts = {
    ...{ model: { name: 'toy', sha256: 'a' }, dataset: { name: 'numbers', sha256: 'b' } },
    ...{ contextSize: TOY.contextSize, seed: SEED, tokens: 1e6 },
  }
  const onProgress = () => Promise.resolve(true)
  try {
    return await new ShardCollector({
      ...{ source, corpus, folder, facts, found: null, onProgress, shardBytes: 1 },
      ...rest,
    }).run()
  } finally {
    source.dispose()
  }
}

/** The sha256 of every file of a folder by its name. */
export async function filesOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files: Record<string, string> = {}
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile()) files[path.slice(folder.length + 1)] = await sha256OfFile(path)
  }
  return files
}
