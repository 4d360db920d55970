/** Training vectors from shards on disk: an endless stream like that of a running model, and the held-out vectors. */
import { z } from 'zod'
import { AppError } from '../../../shared/errors'
import { readShard, shardPath } from '../../files/activation-shards'
import type { ActivationIndex, HookShards, Shard, ShardRows } from '../../files/activation-shards'
import { LARGEST_HALF, widenHalf } from '../../files/element-types'
import type { InputScale } from './activations'
import type { VectorBlock } from './buffer'
import { Random, RandomState } from './random'
import { concatenate } from './stream'
import type { StreamPlace, VectorStream } from './stream'

/** Vectors handed out at once. */
const BLOCK_ROWS = 1024

/** Finished shards of one hook point. */
export type ShardSet = { folder: string; hookName: string; dIn: number; shards: readonly Shard[] }

/** The finished shards of a hook in a folder, to train on and to judge by. */
export function shardSets(
  folder: string,
  index: ActivationIndex,
  hook: HookShards,
): { training: ShardSet; heldOut: ShardSet } {
  const { hookName } = hook
  const set = (shards: HookShards['training']) => ({
    ...{ folder, hookName, dIn: index.dIn },
    shards: shards.filter((shard) => shard !== null),
  })
  return { training: set(hook.training), heldOut: set(hook.heldOut) }
}

export const rowsOf = ({ shards }: Pick<ShardSet, 'shards'>): number => shards.reduce((sum, { rows }) => sum + rows, 0)

/** s = sqrt(dIn / mean ||x||^2) over the stored training rows, and what was left out. */
export function scaleOf(
  { training, heldOut }: { training: ShardSet; heldOut: ShardSet },
  { medianNorm, sinkNorm }: Pick<HookShards, 'medianNorm' | 'sinkNorm'>,
): InputScale {
  const rows = rowsOf(training)
  const squares = training.shards.reduce((sum, shard) => sum + shard.squares, 0)
  const sinks = [...training.shards, ...heldOut.shards].reduce((sum, shard) => sum + shard.sinks, 0)
  const scale = squares > 0 ? Math.sqrt((training.dIn * rows) / squares) : 1
  return { scale, medianNorm, sinkNorm, tokens: rows + rowsOf(heldOut) + sinks, sinks }
}

let table: Float32Array | null = null
/** The value of every half-precision pattern. */
function halfValues(): Float32Array {
  table ??= new Float32Array(Uint32Array.from({ length: 1 << 16 }, (_, half) => widenHalf(half)).buffer)
  return table
}

/**
 * Writes one row of a shard, scaled, to `out` from `to` on.
 * @throws AppError activations-invalid-shard when a value is no finite number
 */
function putRow(
  { vectors }: ShardRows,
  { row, path }: { row: number; path: string },
  { out, to, scale, dIn }: { out: Float32Array; to: number; scale: number; dIn: number },
): void {
  const values = halfValues()
  for (let j = 0; j < dIn; j++) {
    const value = values[vectors[row * dIn + j] ?? 0] ?? 0
    if (!(Math.abs(value) <= LARGEST_HALF)) throw new AppError('activations-invalid-shard', { path, row })
    out[to + j] = value * scale
  }
}

/**
 * All vectors of a set in their order, scaled [rows, dIn].
 * @throws AppError activations-changed, activations-invalid-shard, file-missing
 */
export function readVectors(set: ShardSet, scale: number): Float32Array {
  const { dIn } = set
  const parts = set.shards.map((shard) => {
    const path = shardPath(set.folder, set.hookName, shard.file)
    const rows = readShard(path, { ...shard, isTrusted: false }, dIn)
    // Only now is it known that the rows are there.
    const out = new Float32Array(shard.rows * dIn)
    for (let row = 0; row < shard.rows; row++) putRow(rows, { row, path }, { out, to: row * dIn, scale, dIn })
    return out
  })
  return concatenate(parts)
}

const ShardPlace = z.object({
  pass: z.int().min(0),
  /** Shards of this pass that were handed out whole, and rows of the next one. */
  shardsDone: z.int().min(0),
  rowsDone: z.int().min(0),
  /** The generator before this pass. */
  current: RandomState,
})
type ShardPlace = z.infer<typeof ShardPlace>

/** A shard in memory with the order in which its rows are handed out. */
type OpenShard = { at: number; path: string; rows: ShardRows; order: Int32Array; firstRow: number }

const inOrder = (count: number) => Int32Array.from({ length: count }, (_, i) => i)

/**
 * Blocks of scaled vectors, for ever: shards in an order drawn for each pass, the rows of each in an order of their own. Holds one
 * shard at a time; its checksum is verified when it is read first. `positions` number the rows of the whole set.
 */
export class ShardStream implements VectorStream {
  private at: ShardPlace
  private random: Random
  /** Of this pass: shard indexes, and what the order of each one's rows is drawn from. */
  private order: Int32Array = new Int32Array()
  private seeds: number[] = []
  private open: OpenShard | null = null
  private readonly trusted = new Set<number>()

  /** @param set with at least one row */
  constructor(
    private readonly set: ShardSet,
    private readonly options: { scale: number; random: RandomState },
  ) {
    if (rowsOf(set) === 0) throw new Error('there are no rows to hand out')
    this.at = { pass: 0, shardsDone: 0, rowsDone: 0, current: options.random }
    this.random = new Random(options.random)
    this.startPass()
  }

  get place(): StreamPlace {
    return { ...this.at }
  }

  /**
   * Goes on where another stream over the same shards stood; what comes has the same bits.
   * @throws Error when the place is not one of these shards
   */
  resume(place: StreamPlace): void {
    const at = ShardPlace.parse(place)
    if (at.shardsDone > this.set.shards.length) throw new Error('the place lies behind the last shard')
    this.at = at
    this.random = new Random(at.current)
    this.open = null
    this.startPass()
    const next = this.set.shards[this.order[at.shardsDone] ?? -1]
    if (at.rowsDone > (next?.rows ?? 0)) throw new Error('the place lies behind the last row')
  }

  /** @throws AppError activations-changed, activations-invalid-shard, file-missing */
  next(): IteratorResult<VectorBlock, never> {
    for (;;) {
      if (this.at.shardsDone >= this.order.length) {
        this.at = { pass: this.at.pass + 1, shardsDone: 0, rowsDone: 0, current: this.random.state }
        this.startPass()
      }
      const shard = this.openShard()
      const left = shard.order.length - this.at.rowsDone
      if (left > 0) return { done: false, value: this.take(shard, Math.min(BLOCK_ROWS, left)) }
      this.at.shardsDone += 1
      this.at.rowsDone = 0
    }
  }

  private startPass(): void {
    const count = this.set.shards.length
    this.order = this.random.shuffle(inOrder(count))
    this.seeds = Array.from({ length: count }, () => this.random.next())
  }

  private openShard(): OpenShard {
    const { shards, folder, hookName, dIn } = this.set
    const { shardsDone } = this.at
    const at = this.order[shardsDone] ?? 0
    const shard = shards[at]
    if (!shard) throw new Error(`there is no shard ${at}`)
    // Two passes may meet in the same shard: its rows come in another order then.
    const isSame = this.open?.at === at && this.at.rowsDone > 0
    if (this.open && isSame) return this.open
    this.open = null
    const path = shardPath(folder, hookName, shard.file)
    const rows = readShard(path, { ...shard, isTrusted: this.trusted.has(at) }, dIn)
    this.trusted.add(at)
    const order = Random.fromSeed(this.seeds[shardsDone] ?? 0).shuffle(inOrder(shard.rows))
    const firstRow = rowsOf({ shards: shards.slice(0, at) })
    this.open = { at, path, rows, order, firstRow }
    return this.open
  }

  private take({ path, rows, order, firstRow }: OpenShard, count: number): VectorBlock {
    const { dIn } = this.set
    const { scale } = this.options
    const vectors = new Float32Array(count * dIn)
    const positions = new Int32Array(count)
    for (let i = 0; i < count; i++) {
      const row = order[this.at.rowsDone + i] ?? 0
      positions[i] = firstRow + row
      putRow(rows, { row, path }, { out: vectors, to: i * dIn, scale, dIn })
    }
    this.at.rowsDone += count
    return { vectors, positions }
  }
}
