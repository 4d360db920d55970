/** Answers of the warm worker; it keeps the model and the autoencoder of the last question. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { inspectDataset } from '../files/documents'
import { readSaelens, WEIGHTS_FILE } from '../files/saelens'
import type { SaelensFolder } from '../files/saelens'
import { inspectModel, loadModel, loadTokenizer, renderChat, startingWith } from '../engine/lm'
import { searchPrompts } from '../engine/measure/prompt-search'
import { encodeText } from '../engine/measure/text-codes'
import { TextFit } from '../engine/measure/text-fit'
import { createSae } from '../engine/sae/loaded'
import type { Sae } from '../engine/sae/loaded'
import type { Backend } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import { startOf } from '../../shared/text-start'
import type { ModelSource, RequestName, Requests, StreamName, Streams, Timed } from '../jobs/messages'
import { requireWidth, sinkNormOf } from './atlas'
import { giveWay } from './channel'
import { compareFeatures } from './compare-features'
import { countTokens, previewDocuments } from './datasets'
import { forecastRun } from './forecast'
import { hashFiles } from './hash-files'
import { inspectSae } from './inspect-sae'
import { nearestAcross } from './nearest-across'
import { generateTexts, readText } from './lm'
import type { ReadyModel } from './lm'
import { startFor, startForFolder } from './sae-start'

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

type ReadySae = { sae: Sae; stored: Pick<SaelensFolder, 'cfg' | 'metadata'>; sinkNorm: number | null; dispose(): void }

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

/** An answer with the seconds it took. */
async function timed<T>(work: () => Promise<T>): Promise<T & Timed> {
  const startedAt = performance.now()
  const answer = await work()
  return { ...answer, seconds: (performance.now() - startedAt) / 1000 }
}

export class Answerer {
  private readonly models = new Kept<ReadyModel>()
  private readonly saes = new Kept<ReadySae>()

  /** What the process took before it was asked anything: a training's own process starts as this one did. */
  private readonly base = { baseBytes: process.memoryUsage.rss(), baseSeconds: performance.now() / 1000 }

  constructor(private readonly backend: Backend) {}

  /** @throws AppError what the question's own function throws */
  readonly answers: {
    [N in RequestName]: (input: Requests[N]['ask'], signal: AbortSignal) => Promise<Requests[N]['answer']>
  } = {
    backend: () => Promise.resolve(this.backend),
    inspectModel,
    inspectSae,
    inspectDataset,
    hashFiles,
    nearestAcross,
    previewDocuments,
    countTokens,
    compareFeatures: (input, signal) => this.compareFeatures(input, signal),
    encodeText: (input, signal) => this.encodeText(input, signal),
    searchPrompts: (input, signal) => this.searchPrompts(input, signal),
    forecastRun: (input) => forecastRun(input, { backend: this.backend, ...this.base }),
    readText: async (input) => {
      const ready = await this.model(input.model)
      return timed(() => readText(ready, input))
    },
    startTokens: async ({ path, vocabulary }) => (await loadTokenizer(path, vocabulary)).startTokens,
    chatText: async ({ model, messages }) => ({ text: await renderChat(model.path, messages) }),
  }

  /** Answers one question of the channel. */
  answer<N extends RequestName>(
    name: N,
    input: Requests[N]['ask'],
    signal: AbortSignal,
  ): Promise<Requests[N]['answer']> {
    return this.answers[name](input, signal)
  }

  /** Answers one question that is answered in parts. @throws AppError of the model or the prompts */
  async *stream<N extends StreamName>(
    _name: N,
    input: Streams[N]['ask'],
    signal: AbortSignal,
  ): AsyncGenerator<Streams[N]['part']> {
    yield* generateTexts(await this.model(input.model), input, signal)
  }

  private async model({ path, sha256, textStart = 'own' }: ModelSource): Promise<ReadyModel> {
    const ready = await this.models.get(`${path} ${sha256}`, () => openModel(path))
    return { ...ready, tokenizer: startingWith(ready.tokenizer, textStart) }
  }

  private async sae(path: string, dModel: number): Promise<ReadySae> {
    const found = await this.saes.get(await keyOfSae(path), async () => {
      const stored = await readSaelens(path)
      const sae = createSae(stored, path)
      const { cfg, metadata } = stored
      return { sae, stored: { cfg, metadata }, sinkNorm: sinkNormOf(stored), dispose: () => sae.dispose() }
    })
    requireWidth(found.sae, dModel, path)
    return found
  }

  private async encodeText(
    input: Requests['encodeText']['ask'],
    signal: AbortSignal,
  ): Promise<Requests['encodeText']['answer']> {
    const { model, tokenizer } = await this.model(input.model)
    const { sae, stored, sinkNorm } = await this.sae(input.sae.path, model.config.dModel)
    const contextSize = Math.min(input.sae.contextSize, model.config.contextSize)
    const { bosId, specialIds } = startingWith(tokenizer, startFor(input.model, stored))
    const fit = new TextFit()
    const place = { hookName: input.sae.hookName, contextSize, sinkNorm }
    const reader = { model, sae, ...place, bosId, specialIds, ...(input.judge && { fit }) }
    const { ids, places } = await tokenizer.locate(input.text)
    return timed(async () => {
      const { codes, ...rest } = await encodeText(ids, reader, async () => {
        await giveWay()
        return !signal.aborted
      })
      return { ...rest, places, ...codes, explainedVariance: fit.explainedVariance }
    })
  }

  private async compareFeatures(
    input: Requests['compareFeatures']['ask'],
    signal: AbortSignal,
  ): Promise<Requests['compareFeatures']['answer']> {
    const { model, tokenizer } = await this.model(input.model)
    const open = (path: string) => this.sae(path, model.config.dModel)
    const bosOf = async (path: string) => startOf(tokenizer.starts, await startForFolder(input.model, path))
    const bosIds = new Map([
      [input.one.path, await bosOf(input.one.path)],
      [input.other.path, await bosOf(input.other.path)],
    ])
    const reader = { model, bosIds, specialIds: tokenizer.specialIds, open }
    return timed(() => compareFeatures(input, reader, signal))
  }

  private async searchPrompts(
    input: Requests['searchPrompts']['ask'],
    signal: AbortSignal,
  ): Promise<Requests['searchPrompts']['answer']> {
    const { model, tokenizer } = await this.model(input.model)
    const { sae, stored, sinkNorm } = await this.sae(input.sae.path, model.config.dModel)
    const { bosId, specialIds } = startingWith(tokenizer, startFor(input.model, stored))
    const contextSize = Math.min(input.sae.contextSize, model.config.contextSize)
    const place = { hookName: input.sae.hookName, contextSize, sinkNorm }
    const reader = { model, ...place, bosId, specialIds, encode: (text: string) => tokenizer.encode(text) }
    const goOn = async () => {
      await giveWay()
      return !signal.aborted
    }
    return timed(() => searchPrompts(reader, sae, input, goOn))
  }
}
