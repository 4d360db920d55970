/** The endless stream of scaled activations a dictionary is trained on: pass after pass over the training windows, reshuffled each time. */
import { ESTIMATION_TOKENS, estimateScale, walkWindows } from './activations'
import type { ActivationSource, InputScale, WindowActivations } from './activations'
import type { VectorBlock } from './buffer'
import { windowCount } from './contexts'
import type { Windows } from './contexts'
import type { Random } from './random'

/** Activations are kept after the first pass when all of them fit into this. */
const LARGEST_CACHE_BYTES = 512 * 1024 * 1024

const inOrder = (count: number) => Int32Array.from({ length: count }, (_, i) => i)

/** One array after the other. */
function concatenate(parts: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/**
 * Estimates s on windows in the given order: on at least 1e5 tokens, or on all there are.
 * @param order window indexes, already shuffled
 * @returns `droppedTokens`: the BOS tokens and sinks met on the way
 */
export function measureScale(
  source: ActivationSource,
  windows: Windows,
  { order, contextSize }: { order: Int32Array; contextSize: number },
): InputScale & { droppedTokens: number } {
  const norms: Float32Array[] = []
  let tokens = 0
  let bosTokens = 0
  for (const found of walkWindows(source, windows, { order, contextSize })) {
    norms.push(found.norms)
    tokens += found.norms.length
    if (source.bosId !== null) bosTokens += 1
    if (tokens >= ESTIMATION_TOKENS) break
  }
  const input = estimateScale(concatenate(norms), source.dIn)
  return { ...input, droppedTokens: input.sinks + bosTokens }
}

/** Scaled vectors of the tokens that are no sinks. `first` is the place of the window's first text token among all ids. */
export function keepAndScale(found: WindowActivations, input: InputScale, first: number): VectorBlock {
  const { vectors, norms } = found
  const dIn = norms.length === 0 ? 0 : vectors.length / norms.length
  const kept: number[] = []
  norms.forEach((norm, t) => {
    if (norm <= input.sinkNorm) kept.push(t)
  })
  const out = new Float32Array(kept.length * dIn)
  kept.forEach((t, row) => {
    for (let j = 0; j < dIn; j++) out[row * dIn + j] = (vectors[t * dIn + j] ?? 0) * input.scale
  })
  return { vectors: out, positions: Int32Array.from(kept, (t) => first + t) }
}

/** Where the stream is: the pass, and the windows of it that are used up. */
export type StreamPlace = { pass: number; windowsDone: number }

/** Blocks of one window each, for ever. The order of a pass is drawn when the pass begins. */
export class ActivationStream implements Iterator<VectorBlock> {
  readonly place: StreamPlace = { pass: 0, windowsDone: 0 }
  private readonly cache: Map<number, VectorBlock> | null
  private walk: Iterator<VectorBlock>

  constructor(
    private readonly source: ActivationSource,
    private readonly windows: Windows,
    private readonly options: { contextSize: number; input: InputScale; random: Random },
  ) {
    const bytes = windows.ids.length * source.dIn * Float32Array.BYTES_PER_ELEMENT
    this.cache = bytes <= LARGEST_CACHE_BYTES ? new Map() : null
    this.walk = this.startPass()
  }

  next(): IteratorResult<VectorBlock, never> {
    for (;;) {
      const found = this.walk.next()
      if (found.done !== true) {
        this.place.windowsDone += 1
        return { done: false, value: found.value }
      }
      this.place.pass += 1
      this.place.windowsDone = 0
      this.walk = this.startPass()
    }
  }

  private startPass(): Iterator<VectorBlock> {
    const order = this.options.random.shuffle(inOrder(windowCount(this.windows)))
    const isCached = this.cache !== null && this.cache.size === order.length
    return isCached ? this.replay(order) : this.compute(order)
  }

  private *replay(order: Int32Array): Generator<VectorBlock> {
    for (const window of order) {
      const block = this.cache?.get(window)
      if (block) yield block
    }
  }

  private *compute(order: Int32Array): Generator<VectorBlock> {
    const skipped = this.source.bosId === null ? 0 : 1
    for (const found of walkWindows(this.source, this.windows, { order, contextSize: this.options.contextSize })) {
      const block = keepAndScale(found, this.options.input, (this.windows.offsets[found.window] ?? 0) + skipped)
      this.cache?.set(found.window, block)
      yield block
    }
  }
}

/** Scaled vectors of all windows together [tokens, dIn], sinks dropped, and how many those were. */
export function collectVectors(
  source: ActivationSource,
  windows: Windows,
  options: { contextSize: number; input: InputScale },
): { vectors: Float32Array; sinks: number } {
  const blocks: Float32Array[] = []
  let sinks = 0
  for (const found of walkWindows(source, windows, {
    order: inOrder(windowCount(windows)),
    contextSize: options.contextSize,
  })) {
    const block = keepAndScale(found, options.input, 0)
    sinks += found.norms.length - block.positions.length
    blocks.push(block.vectors)
  }
  return { vectors: concatenate(blocks), sinks }
}
