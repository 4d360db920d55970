/** Runs a language model over windows of tokens and hands out the residual vectors that count: no BOS, no padding, no attention sinks. */
import { AppError } from '../../../shared/errors'
import type { LanguageModel } from '../lm/model'
import { tf } from '../tf'
import type { Windows } from './contexts'

/** A token is an attention sink when its norm is beyond this many medians. */
export const SINK_MEDIANS = 10
/**
 * Tokens that the median norm and s are estimated from, at least, when there are that many: whole windows in random order, which give both to
 * about 1 % (tests/engine/scale.test.ts). Their vectors are not kept, so more would only be run twice.
 */
export const ESTIMATION_TOKENS = 8192
/** Tokens per forward pass, padding included, as near as whole windows come. */
const PASS_TOKENS = 4096
/** Passes are padded to a multiple of this, so that few shapes occur. */
const PAD_MULTIPLE = 16
/**
 * Stands for the norm of a BOS, end or padding token in the middle of a text. It lies beyond every limit, so whoever leaves out attention
 * sinks by their norm leaves these out too; what is counted tells them apart.
 */
export const SPECIAL_NORM = Infinity

/** Where residual vectors come from: a model, a place in it, and what its windows start with. */
export type ActivationSource = {
  hookName: string
  bosId: number | null
  /** Tokens that are no text wherever they stand; see {@link SPECIAL_NORM}. */
  specialIds: ReadonlySet<number>
  /** Width of the vectors. */
  dIn: number
  /** Passes that are worth starting before the first result is taken. */
  passesAhead: number
  /**
   * Starts a forward pass over ids [rows, time] that ends at the hook.
   * @returns waits for its residual vectors [rows, time, dIn]
   */
  start(ids: Int32Array, rows: number): () => Float32Array
  dispose(): void
}

/** As {@link ActivationSource}, for several places of the model in one pass. */
export type HookSource = Omit<ActivationSource, 'hookName' | 'start'> & {
  hookNames: readonly string[]
  /** @returns waits for the vectors of each place [rows, time, its width], in the order of `hookNames` */
  start(ids: Int32Array, rows: number): () => Float32Array[]
}

/** A source with one place as one that has just this. */
export function oneHook(source: HookSource): ActivationSource {
  const { hookNames, bosId, specialIds, dIn, passesAhead } = source
  return {
    ...{ hookName: hookNames[0] ?? '', bosId, specialIds, dIn, passesAhead },
    dispose: () => source.dispose(),
    start: (ids, rows) => {
      const wait = source.start(ids, rows)
      return () => wait()[0] ?? new Float32Array()
    },
  }
}

function asHooks(source: ActivationSource): HookSource {
  const { hookName, bosId, specialIds, dIn, passesAhead } = source
  return {
    ...{ hookNames: [hookName], bosId, specialIds, dIn, passesAhead },
    dispose: () => source.dispose(),
    start: (ids, rows) => {
      const wait = source.start(ids, rows)
      return () => [wait()]
    },
  }
}

/** What a source needs of a tokenizer: the token that windows start with, and those that are no text. */
export type SourceTokens = Pick<ActivationSource, 'bosId' | 'specialIds'>

/** A model in this very thread; it belongs to the source. */
export function modelHooks(
  model: LanguageModel,
  hookNames: readonly string[],
  { bosId, specialIds }: SourceTokens,
): HookSource {
  return {
    ...{ hookNames, bosId, specialIds, dIn: model.config.dModel, passesAhead: 1 },
    start: (ids, rows) => () => residsOf(model, hookNames, { ids, rows }),
    dispose: () => model.dispose(),
  }
}

/** {@link modelHooks} for one place. */
export const modelSource = (model: LanguageModel, hookName: string, tokens: SourceTokens): ActivationSource =>
  oneHook(modelHooks(model, [hookName], tokens))

/** Values of a model's widest layer that are computed at once: 4 MB. For each token these are about four times its width in the MLP, or one for every head and token of the text in attention. */
const VALUES_AT_ONCE = 1024 * 1024
const MLP_TIMES = 4

/**
 * Vectors at some hooks of texts side by side, each [rows, time, width of the hook], computed some rows at a time. How many follows
 * from the shapes alone, so that the same texts always give the same bits.
 */
export function residsOf(
  model: LanguageModel,
  hookNames: readonly string[],
  { ids, rows }: { ids: Int32Array; rows: number },
): Float32Array<ArrayBuffer>[] {
  const { dModel, heads } = model.config
  const time = ids.length / rows
  const widest = Math.max(MLP_TIMES * dModel, heads * time)
  const atOnce = Math.max(1, Math.floor(VALUES_AT_ONCE / (widest * time)))
  const vectors: Float32Array<ArrayBuffer>[] = []
  const stopAfter = lastHook(model, hookNames)
  for (let row = 0; row < rows; row += atOnce) {
    const count = Math.min(atOnce, rows - row)
    const input = tf.tensor2d(ids.subarray(row * time, (row + count) * time), [count, time], 'int32')
    const { captured, logits } = model.forward(input, { capture: [...hookNames], stopAfter })
    hookNames.forEach((hookName, at) => {
      const resid = captured[hookName]
      if (!resid) throw new Error(`the model gave nothing at ${hookName}`)
      const width = resid.size / (count * time)
      vectors[at] ??= new Float32Array(rows * time * width)
      vectors[at].set(resid.dataSync<'float32'>(), row * time * width)
    })
    tf.dispose([input, ...Object.values(captured), ...(logits ? [logits] : [])])
  }
  return vectors
}

/** The hook that a pass reaches last. */
function lastHook(model: LanguageModel, hookNames: readonly string[]): string {
  return model.hookNames().findLast((name) => hookNames.includes(name)) ?? hookNames[0] ?? ''
}

/** Residual vectors of one window's text tokens. */
export type WindowActivations = {
  window: number
  /** Raw vectors of every text token [tokens, dIn], sinks included. */
  vectors: Float32Array
  /** ||x|| of each token [tokens]; {@link SPECIAL_NORM} of one that is no text. */
  norms: Float32Array
}

/** Windows per forward pass; fixed for a context size, since some backends round differently with other row counts. */
export function passWindows(contextSize: number, passTokens = PASS_TOKENS): number {
  return Math.max(1, Math.floor(passTokens / contextSize))
}

/** Token ids of some windows side by side, padded on the right with 0; causal attention never lets padding reach a token. */
function padIds(windows: Windows, picked: readonly number[], rows: number): Int32Array {
  const longest = Math.max(...picked.map((w) => (windows.offsets[w + 1] ?? 0) - (windows.offsets[w] ?? 0)))
  const time = Math.ceil(longest / PAD_MULTIPLE) * PAD_MULTIPLE
  const ids = new Int32Array(rows * time)
  picked.forEach((w, row) => ids.set(windows.ids.subarray(windows.offsets[w], windows.offsets[w + 1]), row * time))
  return ids
}

function normsOf(vectors: Float32Array, dIn: number): Float32Array {
  const norms = new Float32Array(vectors.length / dIn)
  for (let t = 0; t < norms.length; t++) {
    let squares = 0
    for (let j = t * dIn; j < (t + 1) * dIn; j++) squares += (vectors[j] ?? 0) ** 2
    norms[t] = Math.sqrt(squares)
  }
  return norms
}

/** @throws AppError activations-invalid when a norm is no finite number, since a value of the vector is none then */
function requireFinite(norms: Float32Array, place: { hookName: string; document: number; start: number }): void {
  const at = norms.findIndex((norm) => !Number.isFinite(norm))
  const { hookName, document, start } = place
  if (at >= 0) throw new AppError('activations-invalid', { hookName, document, position: start + at })
}

/** Activations of one window at each hook of a source. */
export type HookActivations = WindowActivations[]

/** Starts the forward pass of some windows, at most `rows`; missing rows are padding. */
function startWindows(
  source: HookSource,
  windows: Windows,
  picked: readonly number[],
  { rows, withBos }: { rows: number; withBos: boolean },
): () => HookActivations[] {
  const { bosId, specialIds, hookNames } = source
  const ids = padIds(windows, picked, rows)
  const time = ids.length / rows
  const wait = source.start(ids, rows)
  const skipped = bosId === null || withBos ? 0 : 1
  return () => {
    const data = wait()
    return picked.map((window, row) => {
      const length = (windows.offsets[window + 1] ?? 0) - (windows.offsets[window] ?? 0)
      const [document, start] = [windows.documents[window] ?? 0, windows.starts[window] ?? 0]
      return data.map((values, at) => {
        // dIn in the residual stream; neurons are more.
        const width = values.length / ids.length
        const vectors = values.slice((row * time + skipped) * width, (row * time + length) * width)
        const norms = normsOf(vectors, width)
        requireFinite(norms, { hookName: hookNames[at] ?? '', document, start })
        const first = (windows.offsets[window] ?? 0) + skipped
        norms.forEach((_, t) => {
          const isBos = bosId !== null && skipped + t === 0
          if (isBos || specialIds.has(windows.ids[first + t] ?? -1)) norms[t] = SPECIAL_NORM
        })
        return { window, vectors, norms }
      })
    })
  }
}

type Walk = {
  order: ArrayLike<number>
  contextSize: number
  /** About so many tokens in a pass instead of what is usual, for sources whose vectors are many or wide. */
  passTokens?: number
  /** Vectors of every token of a window, the BOS before it included; its norm is {@link SPECIAL_NORM}. */
  withBos?: boolean
}

/**
 * Walks over windows in the given order; passes are started ahead of it, and results come in order.
 * @returns activations at each hook of the source
 * @throws AppError activations-invalid naming document and token
 */
export function* walkHooks(
  source: HookSource,
  windows: Windows,
  { order, contextSize, passTokens, withBos = false }: Walk,
): Generator<HookActivations> {
  const rows = passWindows(contextSize, passTokens)
  const started: (() => HookActivations[])[] = []
  for (let at = 0; at < order.length; at += rows) {
    const picked: number[] = []
    for (let i = at; i < Math.min(at + rows, order.length); i++) picked.push(order[i] ?? 0)
    started.push(startWindows(source, windows, picked, { rows, withBos }))
    if (started.length >= source.passesAhead) yield* started.shift()?.() ?? []
  }
  for (const wait of started) yield* wait()
}

/** {@link walkHooks} for a source with one hook. */
export function* walkWindows(source: ActivationSource, windows: Windows, walk: Walk): Generator<WindowActivations> {
  for (const [found] of walkHooks(asHooks(source), windows, walk)) if (found) yield found
}

/** Whether all vectors that were looked at are the same, which leaves nothing to learn. */
export class Sameness {
  private first: Float32Array | null = null
  private tokens = 0
  private differs = false

  constructor(private readonly hookName: string) {}

  /** @param vectors [tokens, dIn] */
  look(vectors: Float32Array, dIn: number): void {
    this.tokens += vectors.length / dIn
    if (this.differs || vectors.length === 0) return
    this.first ??= vectors.slice(0, dIn)
    const first = this.first
    this.differs = vectors.some((value, at) => value !== first[at % dIn])
  }

  /** @throws AppError activations-constant */
  require(): void {
    const { hookName, tokens } = this
    if (tokens > 1 && !this.differs) throw new AppError('activations-constant', { hookName, tokens })
  }
}

/** What the inputs of a dictionary look like; frozen before training and stored with it. */
export type InputScale = {
  /** x = scale * x_raw has mean ||x||^2 = dIn over the kept tokens. */
  scale: number
  medianNorm: number
  /** Tokens with a norm beyond this are sinks. */
  sinkNorm: number
  /** Text tokens the estimate rests on, and those of them dropped as sinks. Special tokens count as neither. */
  tokens: number
  sinks: number
}

/** The median of the lower half of two middles, so that it is one of the values. */
export function medianOf(values: Float32Array): number {
  const sorted = values.slice().sort()
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
}

/**
 * s = sqrt(dIn / mean ||x||^2) over the tokens that are no sinks.
 * @param all raw norms of tokens; special ones are left out
 */
export function estimateScale(all: Float32Array, dIn: number): InputScale {
  const norms = all.filter((norm) => norm < SPECIAL_NORM)
  const medianNorm = medianOf(norms)
  const sinkNorm = SINK_MEDIANS * medianNorm
  let squares = 0
  let kept = 0
  for (const norm of norms) {
    if (norm > sinkNorm) continue
    squares += norm * norm
    kept += 1
  }
  const scale = squares > 0 ? Math.sqrt((dIn * kept) / squares) : 1
  return { scale, medianNorm, sinkNorm, tokens: norms.length, sinks: norms.length - kept }
}
