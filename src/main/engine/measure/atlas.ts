/**
 * The feature atlas: one streaming pass over a corpus that gathers statistics and contexts of every feature. A corpus is cut into
 * segments, and what is computed together never reaches from one into the next: so it may be passed over in parts that begin and
 * end with segments, and their merged sketches are those of one pass, byte for byte.
 */
import type { Atlas } from '../../files/atlas-file'
import { passWindows, SPECIAL_NORM, walkWindows } from '../train/activations'
import type { ActivationSource, WindowActivations } from '../train/activations'
import { cutDocument, IntList, windowCount, WindowList } from '../train/contexts'
import type { TextEncoder, Windows } from '../train/contexts'
import { tf } from '../tf'
import type { Sae } from '../sae/loaded'
import { AtlasSketch } from './atlas-sketch'
import type { SketchSizes } from './atlas-sketch'
import { rowCodes } from './window-codes'

/** Rows of [rows, dSae] that are read back at once: few enough for this many bytes, and at most so many. */
const BLOCK_BYTES = 64 * 1024 * 1024
const BLOCK_ROWS = 2048
/** Forward passes between two looks at the outside world, for each that runs at the same time. */
const GROUP_PASSES = 2
/** A segment ends with the document that brings it to this many characters. */
export const SEGMENT_CHARACTERS = 1024 * 1024

/** What a pass over a corpus says of features; see feature-weights.ts for the rest. */
export type AtlasFigures = Omit<Atlas, 'origin' | 'weights'>

/** Documents and tokens encoded so far. */
export type AtlasProgress = { documents: number; tokens: number }

export type AtlasOptions = Omit<SketchSizes, 'dSae'> & {
  source: ActivationSource
  tokenizer: TextEncoder
  sae: Sae
  contextSize: number
  /** Tokens with a larger norm are attention sinks: neither counted nor shown as active. */
  sinkNorm: number
  segmentCharacters?: number
  /** Called between groups of windows; false ends the pass early. */
  onProgress: (progress: AtlasProgress) => Promise<boolean>
}

/** A part of a corpus: what its features do, and the ids of its documents one after another. */
export type AtlasPart = { sketch: AtlasSketch; tokens: { ids: Int32Array; lengths: Int32Array } }

/** Says for one document after another, by its length, whether its segment ends with it. */
export function segmentEnds(segmentCharacters = SEGMENT_CHARACTERS): (characters: number) => boolean {
  let filled = 0
  return (characters) => {
    filled += characters
    if (filled < segmentCharacters) return false
    filled = 0
    return true
  }
}

class PartBuilder {
  readonly sketch: AtlasSketch
  private readonly blockRows: number

  constructor(private readonly options: AtlasOptions) {
    const { sae, topContexts, intervalContexts, seed } = options
    this.sketch = new AtlasSketch({ dSae: sae.dSae, topContexts, intervalContexts, seed })
    this.blockRows = Math.max(1, Math.min(BLOCK_ROWS, Math.floor(BLOCK_BYTES / (4 * sae.dSae))))
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
    if (source.bosId !== null) this.sketch.count('bosTokens', order.length)
  }

  private encode(windows: Windows, held: WindowActivations[]): void {
    const { sae, sinkNorm } = this.options
    const { dIn, dSae } = sae
    const rows = held.reduce((sum, found) => sum + found.norms.length, 0)
    const vectors = new Float32Array(rows * dIn)
    const sinks = new Uint8Array(rows)
    let special = 0
    let at = 0
    for (const found of held) {
      vectors.set(found.vectors, at * dIn)
      found.norms.forEach((norm, t) => {
        sinks[at + t] = norm > sinkNorm ? 1 : 0
        if (norm === SPECIAL_NORM) special += 1
      })
      at += found.norms.length
    }
    const featureActs = tf.tidy(() => sae.encode(tf.tensor2d(vectors, [rows, dIn])))
    const codes = rowCodes(featureActs.dataSync<'float32'>(), dSae, sinks)
    featureActs.dispose()
    const dropped = sinks.reduce((sum, sink) => sum + sink, 0)
    this.sketch.count('tokens', rows - dropped)
    this.sketch.count('sinkTokens', dropped - special)
    this.sketch.count('bosTokens', special)
    let firstRow = 0
    for (const found of held) {
      const [document, start] = [windows.documents[found.window] ?? 0, windows.starts[found.window] ?? 0]
      this.sketch.add(codes, { document, start, firstRow, endRow: firstRow + found.norms.length })
      firstRow += found.norms.length
    }
  }
}

/**
 * Encodes documents, the first of which begins a segment, once.
 * A context shows up to 20 tokens before and 11 after the one it is for, never beyond the window in which the model read it.
 * @returns null when `onProgress` said to stop
 */
export async function sketchDocuments(
  documents: AsyncIterable<{ index: number; text: string }>,
  options: AtlasOptions,
): Promise<AtlasPart | null> {
  const { tokenizer, source, contextSize, onProgress } = options
  const builder = new PartBuilder(options)
  const groupWindows = GROUP_PASSES * source.passesAhead * passWindows(contextSize)
  const endsSegment = segmentEnds(options.segmentCharacters)
  const [ids, lengths] = [new IntList(), new IntList()]
  let group = new WindowList()
  const takeGroup = async (): Promise<boolean> => {
    builder.take(group.toWindows())
    group = new WindowList()
    return onProgress({ documents: lengths.length, tokens: builder.sketch.countOf('tokens') })
  }
  for await (const { index, text } of documents) {
    const encoded = await tokenizer.encode(text)
    for (const window of cutDocument(encoded, { contextSize, bosId: source.bosId })) {
      group.add(window, index)
      // Groups are whole passes, so that which windows share one does not depend on the size of a group.
      if (group.count === groupWindows && !(await takeGroup())) return null
    }
    ids.push(encoded)
    lengths.push([encoded.length])
    builder.sketch.count('documents', 1)
    if (endsSegment(text.length) && group.count > 0 && !(await takeGroup())) return null
  }
  if (group.count > 0) builder.take(group.toWindows())
  return { sketch: builder.sketch, tokens: { ids: ids.toArray(), lengths: lengths.toArray() } }
}
