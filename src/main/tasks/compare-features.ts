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
  bosId: number | null
  open(path: string): Promise<{ sae: Sae; sinkNorm: number | null }>
}

/**
 * Activations of some features of one autoencoder on each passage from the beginning of its window [passages][features][tokens].
 * @throws AppError cancelled
 */
async function activations(
  { hookName, path }: Side,
  featureIndexes: readonly number[],
  { reader, passages, signal }: { reader: PairReader; passages: readonly Passage[]; signal: AbortSignal },
): Promise<Float32Array[][]> {
  const { model, bosId } = reader
  const { sae, sinkNorm } = await reader.open(path)
  const found: Float32Array[][] = []
  for (const passage of passages) {
    const contextSize = Math.min(passage.contextSize, model.config.contextSize)
    const { ids } = fromWindow(passage, windowTokens(contextSize, bosId))
    const { codes } = await encodeText([...ids], { model, sae, hookName, bosId, contextSize, sinkNorm }, async () => {
      await giveWay()
      return !signal.aborted
    })
    found.push(featureIndexes.map((index) => columnOf(codes, index)))
  }
  return found
}

/** Tokens of the text in a window. */
const windowTokens = (contextSize: number, bosId: number | null) => contextSize - (bosId === null ? 0 : 1)

/**
 * One autoencoder is read at a time, so that no more than one is held; two features of the same one take a single pass.
 * @throws AppError cancelled; sae-invalid for a folder that cannot be read or an autoencoder of another width than the model
 */
export async function compareFeatures(
  { one, other, compareDirections, passages }: Ask,
  reader: PairReader,
  signal: AbortSignal,
): Promise<Requests['compareFeatures']['answer']> {
  const work = { reader, passages, signal }
  const isSame = one.path === other.path
  const first = await activations(one, isSame ? [one.featureIndex, other.featureIndex] : [one.featureIndex], work)
  const second = isSame ? null : await activations(other, [other.featureIndex], work)
  const tokens = new PairTokens()
  const values = passages.map((passage, p) => {
    const [own, same] = first[p] ?? []
    const pair = [own ?? new Float32Array(), (second ? second[p]?.[0] : same) ?? new Float32Array()] as const
    const size = Math.min(passage.contextSize, reader.model.config.contextSize)
    const { start } = fromWindow(passage, windowTokens(size, reader.bosId))
    tokens.add(passage, start, pair)
    const shown = (column: Float32Array) => column.slice(passage.from - start)
    return { one: shown(pair[0]), other: shown(pair[1]) }
  })
  return { cosine: compareDirections ? await decoderCosine(one, other) : null, values, ...tokens.together() }
}
