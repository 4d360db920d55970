/** Two features held against each other: the angle of their decoder rows, and both read on the same passages of a corpus. */
import type { LanguageModel } from '../engine/lm/model'
import { columnOf, fromWindow, PairTokens } from '../engine/measure/feature-pair'
import { encodeText } from '../engine/measure/text-codes'
import type { Sae } from '../engine/sae/loaded'
import type { Requests } from '../jobs/messages'
import type { Passage } from '../../shared/domain'
import { giveWay } from './channel'
import { decoderCosine } from './decoder-rows'

type Ask = Requests['compareFeatures']['ask']
type Side = Ask['one']

/** What the warm worker has ready; `open` gives the autoencoder of a side, and may drop the one before. */
export type PairReader = {
  model: LanguageModel
  /** What stands before a text, by the folder of the autoencoder that it is read for. */
  bosIds: ReadonlyMap<string, number | null>
  specialIds: ReadonlySet<number>
  open(path: string): Promise<{ sae: Sae; sinkNorm: number | null }>
}

/** A passage from the beginning of its window. */
type Aligned = { contextSize: number; start: number; ids: Int32Array }

function aligned(passage: Passage, { model, bosIds }: PairReader): Aligned {
  const contextSize = Math.min(passage.contextSize, model.config.contextSize)
  return { contextSize, ...fromWindow(passage, contextSize - ([...bosIds.values()].some((id) => id !== null) ? 1 : 0)) }
}

/**
 * Activations of some features of one autoencoder [passages][features][tokens].
 * @throws AppError cancelled
 */
async function activations(
  { hookName, path }: Side,
  featureIndexes: readonly number[],
  { reader, windows, signal }: { reader: PairReader; windows: readonly Aligned[]; signal: AbortSignal },
): Promise<Float32Array[][]> {
  const { model, specialIds } = reader
  const bosId = reader.bosIds.get(path) ?? null
  const { sae, sinkNorm } = await reader.open(path)
  const goOn = async () => {
    await giveWay()
    return !signal.aborted
  }
  const found: Float32Array[][] = []
  for (const { ids, contextSize } of windows) {
    const { codes } = await encodeText(
      [...ids],
      { model, sae, hookName, bosId, specialIds, contextSize, sinkNorm },
      goOn,
    )
    found.push(featureIndexes.map((index) => columnOf(codes, index)))
  }
  return found
}

/**
 * One autoencoder is read at a time, so that no more than one is held; two features of the same one take a single pass.
 * @throws AppError cancelled; sae-invalid for a folder that cannot be read or an autoencoder of another width than the model
 */
export async function compareFeatures(
  { one, other, compareDirections, passages }: Ask,
  reader: PairReader,
  signal: AbortSignal,
): Promise<Omit<Requests['compareFeatures']['answer'], 'seconds'>> {
  const windows = passages.map((passage) => aligned(passage, reader))
  const work = { reader, windows, signal }
  const isSame = one.path === other.path
  const first = await activations(one, isSame ? [one.featureIndex, other.featureIndex] : [one.featureIndex], work)
  const second = isSame ? null : await activations(other, [other.featureIndex], work)
  const tokens = new PairTokens()
  const values = passages.map((passage, p) => {
    const [own = new Float32Array(), same = new Float32Array()] = first[p] ?? []
    const pair = [own, second?.[p]?.[0] ?? same] as const
    const start = windows[p]?.start ?? 0
    tokens.add(passage, start, pair)
    return { one: pair[0].slice(passage.from - start), other: pair[1].slice(passage.from - start) }
  })
  return { cosine: compareDirections ? await decoderCosine(one, other) : null, values, ...tokens.together() }
}
