/** The feature atlas: one streaming pass over a corpus that gathers statistics and the strongest contexts of every feature. */
import { HISTOGRAM_BINS } from '../../files/atlas-file'
import type { Atlas } from '../../files/atlas-file'
import { passWindows, walkWindows } from '../train/activations'
import type { ActivationSource, WindowActivations } from '../train/activations'
import { cutDocument, windowCount, WindowList } from '../train/contexts'
import type { TextEncoder, Windows } from '../train/contexts'
import { tf } from '../tf'
import type { Sae } from '../sae/loaded'
import { FeatureStatistics } from './statistics'
import { TopContexts } from './top-contexts'

/** Rows of [rows, dSae] that are read back at once: few enough for this many bytes, and at most so many. */
const BLOCK_BYTES = 64 * 1024 * 1024
const BLOCK_ROWS = 2048
/** Forward passes between two looks at the outside world, for each that runs at the same time. */
const GROUP_PASSES = 2

/** What a pass over a corpus says of features; see feature-weights.ts for the rest. */
export type AtlasFigures = Omit<Atlas, 'origin' | 'weights'>

/** `tokens` were encoded; `droppedTokens` are BOS and sinks. */
export type AtlasProgress = { documents: number; tokens: number; droppedTokens: number }

export type AtlasOptions = {
  source: ActivationSource
  tokenizer: TextEncoder
  sae: Sae
  contextSize: number
  /** Tokens with a larger norm are attention sinks: neither counted nor shown as active. */
  sinkNorm: number
  topContexts: number
  /** Called between groups of windows; false ends the pass early. */
  onProgress: (progress: AtlasProgress) => Promise<boolean>
}

class AtlasBuilder {
  readonly progress: AtlasProgress = { documents: 0, tokens: 0, droppedTokens: 0 }
  private readonly statistics: FeatureStatistics
  private readonly top: TopContexts
  private readonly blockRows: number

  constructor(private readonly options: AtlasOptions) {
    const { dSae } = options.sae
    this.statistics = new FeatureStatistics(dSae)
    this.top = new TopContexts(dSae, options.topContexts)
    this.blockRows = Math.max(1, Math.min(BLOCK_ROWS, Math.floor(BLOCK_BYTES / (4 * dSae))))
  }

  /** Runs the model over windows and takes in what it says, some whole windows at a time. */
  take(windows: Windows): void {
    const { source, contextSize } = this.options
    const order = Array.from({ length: windowCount(windows) }, (_, w) => w)
    let held: WindowActivations[] = []
    let rows = 0
    for (const found of walkWindows(source, windows, { order, contextSize })) {
      if (rows > 0 && rows + found.norms.length > this.blockRows) {
        this.encode(windows, held)
        held = []
        rows = 0
      }
      held.push(found)
      rows += found.norms.length
    }
    if (rows > 0) this.encode(windows, held)
    if (source.bosId !== null) this.progress.droppedTokens += order.length
  }

  figures(): AtlasFigures {
    const { dSae } = this.options.sae
    return { ...this.statistics.figures(HISTOGRAM_BINS), ...this.progress, dSae, contexts: this.top.toColumns() }
  }

  private encode(windows: Windows, held: WindowActivations[]): void {
    const { sae, sinkNorm, source } = this.options
    const { dIn, dSae } = sae
    const rows = held.reduce((sum, found) => sum + found.norms.length, 0)
    const vectors = new Float32Array(rows * dIn)
    const ids = new Int32Array(rows)
    const sinks = new Uint8Array(rows)
    let at = 0
    for (const found of held) {
      const first = (windows.offsets[found.window] ?? 0) + (source.bosId === null ? 0 : 1)
      vectors.set(found.vectors, at * dIn)
      ids.set(windows.ids.subarray(first, first + found.norms.length), at)
      found.norms.forEach((norm, t) => (sinks[at + t] = norm > sinkNorm ? 1 : 0))
      at += found.norms.length
    }
    const featureActs = tf.tidy(() => sae.encode(tf.tensor2d(vectors, [rows, dIn])))
    const acts = featureActs.dataSync<'float32'>()
    featureActs.dispose()
    sinks.forEach((sink, row) => sink && acts.fill(0, row * dSae, (row + 1) * dSae))
    const dropped = sinks.reduce((sum, sink) => sum + sink, 0)
    this.progress.tokens += rows - dropped
    this.progress.droppedTokens += dropped
    let firstRow = 0
    for (const found of held) {
      const window = { document: windows.documents[found.window] ?? 0, start: windows.starts[found.window] ?? 0 }
      this.scan({ acts, ids, dSae }, { ...window, firstRow, endRow: firstRow + found.norms.length })
      firstRow += found.norms.length
    }
  }

  /** Touches every activation once; all work is on those above zero. */
  private scan(
    block: { acts: Float32Array; ids: Int32Array; dSae: number },
    window: { document: number; start: number; firstRow: number; endRow: number },
  ): void {
    const { acts, dSae } = block
    const { floor } = this.top
    for (let row = window.firstRow; row < window.endRow; row++) {
      for (let feature = 0, at = row * dSae; feature < dSae; feature++, at++) {
        const value = acts[at] ?? 0
        if (!(value > 0)) continue
        this.statistics.add(feature, value)
        if (value > (floor[feature] ?? 0)) this.top.offer(feature, { ...window, row, value }, block)
      }
    }
  }
}

/**
 * Encodes every document once.
 * A context shows up to 20 tokens before and 11 after its peak, never beyond the window in which the model read it, and no BOS.
 * @returns null when `onProgress` said to stop
 */
export async function buildAtlas(
  documents: AsyncIterable<{ index: number; text: string }>,
  options: AtlasOptions,
): Promise<AtlasFigures | null> {
  const { tokenizer, source, contextSize, onProgress } = options
  const builder = new AtlasBuilder(options)
  const groupWindows = GROUP_PASSES * source.passesAhead * passWindows(contextSize)
  let list = new WindowList()
  let windows = 0
  for await (const { index, text } of documents) {
    for (const window of cutDocument(tokenizer.encode(text), { contextSize, bosId: source.bosId })) {
      list.add(window, index)
      windows += 1
      // Groups are whole passes, so that which windows share one does not depend on the size of a group.
      if (windows < groupWindows) continue
      builder.take(list.toWindows())
      list = new WindowList()
      windows = 0
      if (!(await onProgress(builder.progress))) return null
    }
    builder.progress.documents = index + 1
  }
  if (windows > 0) builder.take(list.toWindows())
  return builder.figures()
}
