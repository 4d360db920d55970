/** Answers of the warm worker; it keeps the model and the autoencoder of the last question. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { inspectDataset } from '../files/documents'
import { readSaelens, WEIGHTS_FILE } from '../files/saelens'
import { inspectModel, loadModel, loadTokenizer } from '../engine/lm'
import type { LanguageModel, Tokenizer } from '../engine/lm'
import { searchPrompts } from '../engine/measure/prompt-search'
import { createSae } from '../engine/sae/loaded'
import type { Sae } from '../engine/sae/loaded'
import type { Backend } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import type { RequestName, Requests } from '../jobs/messages'
import { requireWidth } from './atlas'

type ReadyModel = { model: LanguageModel; tokenizer: Tokenizer; dispose(): void }

/** Holds one loaded thing under a key; another key replaces it. */
class Kept<T extends { dispose(): void }> {
  private held: { key: string; value: T } | null = null

  async get(key: string, load: () => Promise<T>): Promise<T> {
    if (this.held?.key === key) return this.held.value
    this.held?.value.dispose()
    this.held = null
    const value = await load()
    this.held = { key, value }
    return value
  }
}

async function openModel(path: string): Promise<ReadyModel> {
  const model = await loadModel(path)
  const tokenizer = await loadTokenizer(path, model.config.vocabulary)
  return { model, tokenizer, dispose: () => model.dispose() }
}

/** Names the weights as they are on disk, so that a newer checkpoint under the same path is noticed. */
async function keyOfSae(path: string): Promise<string> {
  const found = await stat(join(path, WEIGHTS_FILE)).catch((error: unknown) => {
    throw new AppError('sae-invalid', { path, reason: `${WEIGHTS_FILE} is missing` }, { cause: error })
  })
  return `${path} ${found.size} ${found.mtimeMs}`
}

export class Answerer {
  private readonly models = new Kept<ReadyModel>()
  private readonly saes = new Kept<Sae>()

  constructor(private readonly backend: Backend) {}

  /** @throws AppError what the question's own function throws */
  readonly answers: { [N in RequestName]: (input: Requests[N]['ask']) => Promise<Requests[N]['answer']> } = {
    backend: () => Promise.resolve(this.backend),
    inspectModel,
    inspectDataset,
    searchPrompts: (input) => this.searchPrompts(input),
  }

  /** Answers one question of the channel. */
  answer<N extends RequestName>(name: N, input: Requests[N]['ask']): Promise<Requests[N]['answer']> {
    return this.answers[name](input)
  }

  private async searchPrompts(input: Requests['searchPrompts']['ask']): Promise<Requests['searchPrompts']['answer']> {
    const { path, sha256 } = input.model
    const { model, tokenizer } = await this.models.get(`${path} ${sha256}`, () => openModel(path))
    const key = await keyOfSae(input.sae.path)
    const sae = await this.saes.get(key, async () => createSae(await readSaelens(input.sae.path), input.sae.path))
    requireWidth(sae, model.config.dModel, input.sae.path)
    const bosId = tokenizer.bosId ?? model.config.bosId
    const reader = { model, hookName: input.sae.hookName, bosId, encode: (text: string) => tokenizer.encode(text) }
    return searchPrompts(reader, sae, input)
  }
}
