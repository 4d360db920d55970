/** The endless stream of scaled activations a dictionary is trained on: pass after pass over the training windows, reshuffled each time. */
import { z } from 'zod'
import { ESTIMATION_TOKENS, estimateScale, passWindows, Sameness, walkWindows } from './activations'
import type { ActivationSource, InputScale, WindowActivations } from './activations'
import type { VectorBlock } from './buffer'
import { windowCount } from './contexts'
import type { Windows } from './contexts'
import { Random, RandomState } from './random'

/** Activations are kept after the first pass when all of them fit into this. */
export const LARGEST_CACHE_BYTES = 512 * 1024 * 1024

const inOrder = (count: number) => Int32Array.from({ length: count }, (_, i) => i)

/** One array after the other. */
export function concatenate(parts: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/**
 * Estimates s on windows in the given order: on at least {@link ESTIMATION_TOKENS} tokens, or on all there are.
 * @param order window indexes, already shuffled
 * @returns `droppedTokens`: the special tokens and sinks met on the way
 * @throws AppError activations-constant when all vectors are the same; activations-invalid
 */
export function measureScale(
  source: ActivationSource,
  windows: Windows,
  { order, contextSize }: { order: Int32Array; contextSize: number },
): InputScale & { droppedTokens: number } {
  const norms: Float32Array[] = []
  let tokens = 0
  let bosTokens = 0
  const sameness = new Sameness(source.hookName)
  for (const found of walkWindows(source, windows, { order, contextSize })) {
    norms.push(found.norms)
    sameness.look(found.vectors, source.dIn)
    tokens += found.norms.length
    if (source.bosId !== null) bosTokens += 1
    if (tokens >= ESTIMATION_TOKENS) break
  }
  sameness.require()
  const input = estimateScale(concatenate(norms), source.dIn)
  return { ...input, droppedTokens: input.sinks + bosTokens + tokens - input.tokens }
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

/** Where a stream is, as a checkpoint keeps it; only the class it came from can read it. */
export const StreamPlace = z.json()
export type StreamPlace = z.infer<typeof StreamPlace>

/** Scaled vectors without end, block after block, that can go on after a restart. */
export type VectorStream = Iterator<VectorBlock, never> & {
  /** After the blocks that were handed out so far. */
  readonly place: StreamPlace
  /** Goes on where another stream of the same class over the same data stood. @throws Error when the place is none of these data */
  resume(place: StreamPlace): void
}

const WindowPlace = z.object({
  pass: z.int().min(0),
  /** Windows of this pass that were handed out. */
  windowsDone: z.int().min(0),
  /** The generator before the first pass and before this one: both orders can be drawn again. */
  first: RandomState,
  current: RandomState,
})
type WindowPlace = z.infer<typeof WindowPlace>

/** Blocks of one window each, for ever. The order of a pass is drawn when the pass begins. */
export class ActivationStream implements VectorStream {
  private at: WindowPlace
  private random: Random
  private readonly cache: Map<number, VectorBlock> | null
  private walk: Iterator<VectorBlock>

  /** @param options `random` decides the order of every pass; `largestCache` in bytes */
  constructor(
    private readonly source: ActivationSource,
    private readonly windows: Windows,
    private readonly options: { contextSize: number; input: InputScale; random: RandomState; largestCache?: number },
  ) {
    const bytes = windows.ids.length * source.dIn * Float32Array.BYTES_PER_ELEMENT
    this.cache = bytes <= (options.largestCache ?? LARGEST_CACHE_BYTES) ? new Map() : null
    this.at = { pass: 0, windowsDone: 0, first: options.random, current: options.random }
    this.random = new Random(options.random)
    this.walk = this.startPass()
  }

  get place(): StreamPlace {
    return { ...this.at }
  }

  /**
   * Goes on where another stream over the same windows stood; what comes has the same bits.
   * @throws Error when the place is not one of these windows
   */
  resume(place: StreamPlace): void {
    const at = WindowPlace.parse(place)
    if (at.windowsDone > windowCount(this.windows)) throw new Error('the place lies behind the last window')
    this.at = at
    this.random = new Random(at.current)
    this.cache?.clear()
    this.walk = this.startPass()
  }

  next(): IteratorResult<VectorBlock, never> {
    for (;;) {
      const found = this.walk.next()
      if (found.done !== true) {
        this.at.windowsDone += 1
        return { done: false, value: found.value }
      }
      this.at = { ...this.at, pass: this.at.pass + 1, windowsDone: 0, current: this.random.state }
      this.walk = this.startPass()
    }
  }

  private startPass(): Iterator<VectorBlock> {
    const { pass, windowsDone } = this.at
    const order = this.draw(this.random)
    if (this.cache && pass > 0) return this.replay(order, windowsDone)
    // A cache needs all windows of the first pass; otherwise the pass goes on with the group that the next window is in, since
    // some backends round differently when a window has other neighbours.
    const rows = passWindows(this.options.contextSize)
    return this.compute(order, { from: this.cache ? 0 : windowsDone - (windowsDone % rows), skipped: windowsDone })
  }

  private draw(random: Random): Int32Array {
    return random.shuffle(inOrder(windowCount(this.windows)))
  }

  private *replay(order: Int32Array, skipped: number): Generator<VectorBlock> {
    this.fillCache()
    for (const window of order.subarray(skipped)) {
      const block = this.cache?.get(window)
      if (block) yield block
    }
  }

  /** After a restart, vectors are computed again in the order of the first pass, as they were at first. */
  private fillCache(): void {
    if (this.cache?.size === windowCount(this.windows)) return
    const all = this.compute(this.draw(new Random(this.at.first)), { from: 0, skipped: 0 })
    while (all.next().done !== true);
  }

  /** Blocks of an order from its place `skipped` on; windows are computed, and kept, from place `from` on. */
  private *compute(order: Int32Array, { from, skipped }: { from: number; skipped: number }): Generator<VectorBlock> {
    const { contextSize, input } = this.options
    const beforeText = this.source.bosId === null ? 0 : 1
    let at = from
    for (const found of walkWindows(this.source, this.windows, { order: order.subarray(from), contextSize })) {
      const block = keepAndScale(found, input, (this.windows.offsets[found.window] ?? 0) + beforeText)
      this.cache?.set(found.window, block)
      if (at >= skipped) yield block
      at += 1
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
