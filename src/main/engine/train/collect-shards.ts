/** Runs a model over text once and writes what it computes at several hook points to shards; goes on where an earlier try ended. */
import { createHash } from 'node:crypto'
import { AppError } from '../../../shared/errors'
import {
  newIndex,
  removeParts,
  rowBytes,
  SHARD_BYTES,
  shardHolds,
  shardPath,
  writeIndex,
  writeShard,
} from '../../files/activation-shards'
import type { ActivationIndex, HookShards, Shard } from '../../files/activation-shards'
import { LARGEST_HALF, narrowHalf, widenHalf } from '../../files/element-types'
import { ESTIMATION_TOKENS, estimateScale, passWindows, Sameness, SINK_MEDIANS, walkHooks } from './activations'
import type { HookSource, WindowActivations } from './activations'
import { textTokens, windowCount } from './contexts'
import type { Corpus, Windows } from './contexts'
import { Random } from './random'
import { RANDOM_STREAMS } from './trainer'

/** Memory for the shards that are being filled, one of each hook. */
const FILLING_BYTES = 512e6

export type CollectOptions = {
  source: HookSource
  corpus: Corpus
  folder: string
  facts: Pick<ActivationIndex, 'model' | 'dataset' | 'contextSize' | 'seed' | 'heldOutRule' | 'tokens'>
  /** What is in the folder already; null for a fresh one. */
  found: ActivationIndex | null
  /** Text tokens that were run or found. @returns false to stop */
  onProgress(tokens: number): Promise<boolean>
  /** Size of a shard, about; as large as is usual unless given. */
  shardBytes?: number
}

type Part = 'training' | 'heldOut'
const FILE_STARTS: Record<Part, string> = { training: 'training', heldOut: 'held-out' }

/** Windows of one file. */
type Group = { part: Part; at: number; windows: Windows; order: Int32Array; tokens: number }

const textHash = ({ training, heldOut }: Corpus): string => {
  const hash = createHash('sha256')
  for (const { ids, offsets } of [training, heldOut]) {
    for (const { buffer, byteOffset, byteLength } of [offsets, ids]) {
      hash.update(`${byteLength}\n`).update(new Uint8Array(buffer, byteOffset, byteLength))
    }
  }
  return hash.digest('hex')
}

/** Windows of a shard: whole forward passes, so that a window has the same neighbours whichever shards are written again. */
function windowsPerShard(options: CollectOptions): number {
  const { source, facts, shardBytes = SHARD_BYTES } = options
  const bytes = Math.min(shardBytes, FILLING_BYTES / source.hookNames.length)
  const rows = passWindows(facts.contextSize)
  return rows * Math.max(1, Math.floor(bytes / (rowBytes(source.dIn) * facts.contextSize * rows)))
}

/** Float32 vectors rounded to half precision, row after row. */
class HalfRows {
  readonly vectors: Uint16Array<ArrayBuffer>
  readonly documents: Int32Array<ArrayBuffer>
  readonly positions: Int32Array<ArrayBuffer>
  private readonly bits = new Uint32Array(1)
  private readonly value = new Float32Array(this.bits.buffer)
  rows = 0
  sinks = 0
  squares = 0

  constructor(
    private readonly hook: Pick<HookShards, 'hookName' | 'sinkNorm'>,
    private readonly dIn: number,
    capacity: number,
  ) {
    this.vectors = new Uint16Array(capacity * dIn)
    this.documents = new Int32Array(capacity)
    this.positions = new Int32Array(capacity)
  }

  /** @throws AppError activations-overflow */
  add({ vectors, norms }: WindowActivations, { document, start }: { document: number; start: number }): void {
    norms.forEach((norm, t) => {
      if (norm > this.hook.sinkNorm) {
        this.sinks += 1
        return
      }
      const position = start + t
      this.documents[this.rows] = document
      this.positions[this.rows] = position
      this.addRow(vectors.subarray(t * this.dIn, (t + 1) * this.dIn), { document, position })
    })
  }

  /** What was added, without the room that is left. */
  get filled() {
    return {
      vectors: this.vectors.subarray(0, this.rows * this.dIn),
      documents: this.documents.subarray(0, this.rows),
      positions: this.positions.subarray(0, this.rows),
    }
  }

  private addRow(vector: Float32Array, place: { document: number; position: number }): void {
    const { bits, value, dIn } = this
    const to = this.rows * dIn
    for (let j = 0; j < dIn; j++) {
      const exact = vector[j] ?? 0
      value[0] = exact
      const half = narrowHalf(bits[0] ?? 0)
      bits[0] = widenHalf(half)
      const rounded = value[0]
      if (!(Math.abs(rounded) <= LARGEST_HALF)) {
        const { hookName } = this.hook
        throw new AppError('activations-overflow', { hookName, value: exact, limit: LARGEST_HALF, ...place })
      }
      this.squares += rounded * rounded
      this.vectors[to + j] = half
    }
    this.rows += 1
  }
}

/** The collection of one set. Shards that are there and hold are kept; the forward passes of all others are as in one go. */
export class ShardCollector {
  private readonly order: Int32Array
  private readonly textSha256: string
  /** Text tokens run or found. */
  private tokens = 0

  constructor(private readonly options: CollectOptions) {
    const { corpus, facts } = options
    this.textSha256 = textHash(corpus)
    const random = Random.fromSeed(facts.seed, RANDOM_STREAMS.passes)
    this.order = random.shuffle(Int32Array.from({ length: windowCount(corpus.training) }, (_, w) => w))
  }

  /** Text tokens that will be run, sinks included. */
  get totalTokens(): number {
    const { corpus, source } = this.options
    return textTokens(corpus.training, source) + textTokens(corpus.heldOut, source)
  }

  /**
   * Writes all shards that are missing.
   * @returns the complete index, or null when it was told to stop
   * @throws AppError activations-invalid, activations-constant, activations-overflow; activations-changed when the text is another
   * than that of the shards there are; disk-full
   */
  async run(): Promise<ActivationIndex | null> {
    const { folder } = this.options
    const index = await this.openIndex()
    for (const group of this.groups(index)) {
      if (!(await this.isThere(index, group)) && !(await this.write(index, group))) return null
      this.tokens += group.tokens
      if (!(await this.options.onProgress(this.tokens))) return null
    }
    index.isComplete = true
    await writeIndex(folder, index)
    return index
  }

  private async openIndex(): Promise<ActivationIndex> {
    const { found, folder } = this.options
    if (found && found.textSha256 !== this.textSha256) throw new AppError('activations-changed', { path: folder })
    await removeParts(folder)
    const index = found ?? this.freshIndex()
    await writeIndex(folder, index)
    return index
  }

  private freshIndex(): ActivationIndex {
    const { source, corpus, facts } = this.options
    const { dIn, bosId } = source
    const specialIds = [...source.specialIds].sort((a, b) => a - b)
    const perShard = windowsPerShard(this.options)
    const none = (windows: Windows) =>
      Array.from({ length: Math.ceil(windowCount(windows) / perShard) }, (): Shard | null => null)
    const hooks = this.measure().map((measured) => ({
      ...measured,
      training: none(corpus.training),
      heldOut: none(corpus.heldOut),
    }))
    return newIndex({
      ...facts,
      ...{ dIn, bosId, specialIds, hooks, textSha256: this.textSha256, isComplete: false, windowsPerShard: perShard },
      trainingTokens: textTokens(corpus.training, { bosId }),
      heldOutTokens: textTokens(corpus.heldOut, { bosId }),
      trainingWindows: windowCount(corpus.training),
    })
  }

  /** Looks at the first tokens of the shuffled order: the norm beyond which a token is a sink, for each hook. */
  private measure(): Omit<HookShards, 'training' | 'heldOut'>[] {
    const { source, corpus, facts } = this.options
    const { dIn, hookNames } = source
    const norms: number[][] = hookNames.map(() => [])
    const sameness = hookNames.map((hookName) => new Sameness(hookName))
    for (const found of walkHooks(source, corpus.training, { order: this.order, contextSize: facts.contextSize })) {
      found.forEach((one, hook) => {
        norms[hook]?.push(...one.norms)
        sameness[hook]?.look(one.vectors, dIn)
      })
      if ((norms[0]?.length ?? 0) >= ESTIMATION_TOKENS) break
    }
    return hookNames.map((hookName, hook) => {
      sameness[hook]?.require()
      const { medianNorm, sinkNorm, tokens } = estimateScale(Float32Array.from(norms[hook] ?? []), dIn)
      return { hookName, medianNorm, sinkNorm, sinkMedians: SINK_MEDIANS, estimatedTokens: tokens }
    })
  }

  private *groups({ windowsPerShard: count }: ActivationIndex): Generator<Group> {
    const { corpus, source } = this.options
    const inOrder = Int32Array.from({ length: windowCount(corpus.heldOut) }, (_, w) => w)
    const bos = source.bosId === null ? 0 : 1
    for (const [part, windows, all] of [
      ['training', corpus.training, this.order],
      ['heldOut', corpus.heldOut, inOrder],
    ] as const) {
      for (let at = 0; at * count < all.length; at++) {
        const order = all.subarray(at * count, (at + 1) * count)
        const lengthOf = (w: number) => (windows.offsets[w + 1] ?? 0) - (windows.offsets[w] ?? 0) - bos
        yield { part, at, windows, order, tokens: order.reduce((sum, w) => sum + lengthOf(w), 0) }
      }
    }
  }

  private async isThere(index: ActivationIndex, { part, at }: Group): Promise<boolean> {
    for (const hook of index.hooks) {
      const shard = hook[part][at]
      const holds = shard && (await shardHolds(shardPath(this.options.folder, hook.hookName, shard.file), shard))
      if (holds !== true) return false
    }
    return true
  }

  private async write(index: ActivationIndex, group: Group): Promise<boolean> {
    const { folder, source } = this.options
    const rows = await this.fill(index, group)
    if (!rows) return false
    for (const [i, hook] of index.hooks.entries()) {
      const filled = rows[i]
      if (!filled) throw new Error(`nothing was collected at ${hook.hookName}`)
      const file = `${FILE_STARTS[group.part]}-${String(group.at).padStart(5, '0')}.safetensors`
      const written = await writeShard(shardPath(folder, hook.hookName, file), filled.filled, source.dIn)
      const { sinks, squares } = filled
      hook[group.part][group.at] = { file, rows: filled.rows, sinks, squares, ...written }
    }
    await writeIndex(folder, index)
    return true
  }

  private async fill(index: ActivationIndex, group: Group): Promise<HalfRows[] | null> {
    const { source, facts, onProgress } = this.options
    const { windows, order, tokens } = group
    const rows = index.hooks.map((hook) => new HalfRows(hook, source.dIn, tokens))
    let done = 0
    for (const found of walkHooks(source, windows, { order, contextSize: facts.contextSize })) {
      found.forEach((one, hook) => {
        const [document, start] = [windows.documents[one.window] ?? 0, windows.starts[one.window] ?? 0]
        rows[hook]?.add(one, { document, start })
      })
      done += found[0]?.norms.length ?? 0
      if (!(await onProgress(this.tokens + done))) return null
    }
    return rows
  }
}
