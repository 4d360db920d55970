/** Everything that must hold before a model folder is taken into a workspace, checked without loading a weight. */
import { join } from 'node:path'
import type { Model, TensorNames } from '../../../shared/domain'
import { writePieces } from '../../files/pieces-file'
import { hasChatTemplate } from './chat'
import { checkModel } from './load'
import { planLoad } from './load-plan'
import { loadTokenizer } from './tokenizer'

/** What a workspace stores of a model; its sha256 is over the weight files one after another, sorted by name. */
export type ModelInfo = Omit<Model, 'id' | 'name' | 'path' | 'source' | 'addedAt' | 'textStart'>

const NAMES_TOLD = 10

const tell = (names: readonly string[]): TensorNames => ({ count: names.length, first: names.slice(0, NAMES_TOLD) })

/**
 * Checks config, weight headers and tokenizer of a folder, reads the weight files once (for their hash, and for values that are no
 * finite numbers, which are told but not refused), and writes the tokenizer's pieces to `piecesFolder`/<sha256>.safetensors.
 * @throws AppError with the code of what is wrong: file-*, weights-*, model-*, tokenizer-*, disk-full, workspace-unwritable
 */
export async function inspectModel(ask: { path: string; piecesFolder: string }): Promise<ModelInfo> {
  const checked = await checkModel(ask.path)
  const { config, shapes, weights, storedName, unused } = checked
  try {
    const tokenizer = await loadTokenizer(ask.path, config.vocabulary)
    const used = new Set(Array.from(shapes.keys(), storedName))
    const { sha256, nonFinite } = await weights.scan((name) => used.has(name))
    await writePieces(join(ask.piecesFolder, `${sha256}.safetensors`), tokenizer.pieces)
    const { family, layers, dModel, heads, vocabulary, contextSize, dtype, parameters, weightBytes } = config
    return {
      ...{ family, layers, dModel, heads, vocabulary, contextSize, dtype, parameters, weightBytes, sha256 },
      memoryBytes: planLoad(checked).memoryBytes,
      absentHooks: [...(config.absentHooks ?? [])],
      unusedTensors: tell(unused),
      nanTensors: tell(nonFinite),
      hasChatTemplate: await hasChatTemplate(ask.path),
      startTokens: tokenizer.startTokens,
    }
  } finally {
    await weights.close()
  }
}
