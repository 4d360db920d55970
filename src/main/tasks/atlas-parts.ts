/** The parts an atlas job passes over: planned once, kept on disk one by one, merged at the end. */
import { join } from 'node:path'
import { CorpusTokens, joinCorpusTokens, writeCorpusTokens } from '../files/corpus-tokens'
import { readDocuments } from '../files/documents'
import type { Document } from '../files/documents'
import { readSketch, writeSketch } from '../files/sketch-file'
import { segmentEnds, sketchDocuments } from '../engine/measure/atlas'
import type { AtlasOptions, AtlasPart } from '../engine/measure/atlas'
import { AtlasSketch } from '../engine/measure/atlas-sketch'
import { AppError } from '../../shared/errors'
import type { AtlasSpec } from '../jobs/messages'
import type { Channel } from './channel'
import { giveWay } from './channel'

const PROGRESS_MS = 100
/** Characters of text that are passed over between two states on disk, about: some minutes of work on a slow machine. */
const SHARD_CHARACTERS = 16 * 1024 * 1024
const FORMAT = 'monoscope-sketch-1'

/** Documents in all, and those of each part: [begins[i], begins[i + 1]). */
export type AtlasPlan = { documents: number; begins: number[] }

type Work = { plan: AtlasPlan; options: Omit<AtlasOptions, 'onProgress'>; origin: Record<string, string> }

export const partsFolder = (spec: AtlasSpec): string => `${spec.file}.parts`

/** Cuts a dataset into parts of whole segments. @throws AppError dataset-empty, and of the dataset */
export async function planParts(spec: AtlasSpec): Promise<AtlasPlan> {
  const endsSegment = segmentEnds(spec.segmentCharacters)
  const segments: number[] = [0]
  let [documents, characters] = [0, 0]
  for await (const { index, text } of readDocuments(spec.dataset)) {
    documents = index + 1
    characters += text.length
    if (endsSegment(text.length)) segments.push(documents)
  }
  if (documents === 0) throw new AppError('dataset-empty', { path: spec.dataset.path })
  if (segments.at(-1) === documents) segments.pop()
  const wanted = spec.shards ?? Math.ceil(characters / SHARD_CHARACTERS)
  const parts = Math.max(1, Math.min(wanted, segments.length))
  const begins = Array.from({ length: parts }, (_, i) => segments[Math.floor((i * segments.length) / parts)] ?? 0)
  return { documents, begins: [...begins, documents] }
}

/** Sends progress, lets messages in, and says whether to go on. */
function progressOf(channel: Channel, total: number) {
  const startedAt = performance.now()
  let sentAt = 0
  return async (done: number, tokens: number): Promise<boolean> => {
    const now = performance.now()
    if (now - sentAt >= PROGRESS_MS) {
      sentAt = now
      const tokensPerSecond = tokens / Math.max(1e-3, (now - startedAt) / 1000)
      channel.send({ type: 'progress', done, total, tokensPerSecond })
    }
    await giveWay()
    return !channel.isCancelled()
  }
}

/** The documents up to number `end`; what comes after stays in the iterator. */
async function* upTo(documents: AsyncIterator<Document>, end: number): AsyncGenerator<Document> {
  for (let next = 0; next < end;) {
    const found = await documents.next()
    if (found.done === true) return
    next = found.value.index + 1
    yield found.value
  }
}

async function skip(documents: AsyncIterable<Document>): Promise<void> {
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- they only have to be passed by
  for await (const _ of documents);
}

/** Whether a file with the ids of so many documents is there. */
function holdsTokens(path: string, documents: number): boolean {
  try {
    const tokens = CorpusTokens.open(path)
    tokens.close()
    return tokens.documents === documents
  } catch (error) {
    if (error instanceof AppError) return false
    throw error
  }
}

class Parts {
  private readonly folder: string

  constructor(
    private readonly spec: AtlasSpec,
    private readonly work: Work,
  ) {
    this.folder = partsFolder(spec)
  }

  get count(): number {
    return this.work.plan.begins.length - 1
  }

  tokensFile(part: number): string {
    return join(this.folder, `tokens-${part}.safetensors`)
  }

  /** A finished part, or null. */
  async read(part: number): Promise<AtlasSketch | null> {
    const { sae, topContexts, intervalContexts, seed } = this.work.options
    const sketch = new AtlasSketch({ dSae: sae.dSae, topContexts, intervalContexts, seed })
    const isThere = await readSketch(this.sketchFile(part), sketch.arrays(), this.facts(part))
    const { begins } = this.work.plan
    const documents = (begins[part + 1] ?? 0) - (begins[part] ?? 0)
    return isThere && holdsTokens(this.tokensFile(part), documents) ? sketch : null
  }

  async write(part: number, { sketch, tokens }: AtlasPart): Promise<void> {
    await writeCorpusTokens(this.tokensFile(part), tokens)
    await writeSketch(this.sketchFile(part), sketch.arrays(), this.facts(part))
  }

  private sketchFile(part: number): string {
    return join(this.folder, `sketch-${part}.safetensors`)
  }

  /** Whatever the numbers of a part depend on. */
  private facts(part: number): Record<string, string> {
    const { plan, options, origin } = this.work
    const { contextSize, sinkNorm } = options
    const settings = JSON.stringify([contextSize, sinkNorm, this.spec.segmentCharacters ?? 0])
    return { ...origin, format: FORMAT, settings, part: `${plan.begins[part] ?? 0}-${plan.begins[part + 1] ?? 0}` }
  }
}

/**
 * Passes over all parts that are not on disk yet, and writes the token ids of the dataset.
 * @returns the sketch of the whole dataset, or null when it was cancelled
 */
export async function sketchParts(spec: AtlasSpec, work: Work, channel: Channel): Promise<AtlasSketch | null> {
  const { plan, options } = work
  const parts = new Parts(spec, work)
  const report = progressOf(channel, plan.documents)
  const documents = readDocuments(spec.dataset)
  // Its name says what the ids are of, so that one that is there is right; it may be open in another process.
  const hasTokens = holdsTokens(spec.tokensFile, plan.documents)
  let tokens = 0
  let whole: AtlasSketch | null = null
  for (let part = 0; part < parts.count; part++) {
    const [begin, end] = [plan.begins[part] ?? 0, plan.begins[part + 1] ?? 0]
    let sketch = parts.count > 1 ? await parts.read(part) : null
    if (sketch) await skip(upTo(documents, end))
    else {
      const onProgress = (at: { documents: number; tokens: number }) => report(begin + at.documents, tokens + at.tokens)
      const made = await sketchDocuments(upTo(documents, end), { ...options, onProgress })
      if (!made) return null
      tokens += made.sketch.countOf('tokens')
      if (parts.count > 1) await parts.write(part, made)
      else if (!hasTokens) await writeCorpusTokens(spec.tokensFile, made.tokens)
      sketch = made.sketch
    }
    if (whole) whole.merge(sketch)
    else whole = sketch
  }
  if (parts.count > 1 && !hasTokens) {
    const files = Array.from({ length: parts.count }, (_, part) => parts.tokensFile(part))
    await joinCorpusTokens(spec.tokensFile, files)
  }
  return whole
}
