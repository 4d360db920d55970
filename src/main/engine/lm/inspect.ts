/** Everything that must hold before a model folder is taken into a workspace, checked without loading a weight. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { writePieces } from '../../files/pieces-file'
import { readError } from '../../files/safetensors'
import type { ModelConfig } from './family'
import { checkModel } from './load'
import { loadTokenizer } from './tokenizer'

/** What a workspace stores of a model. */
export type ModelInfo = Omit<ModelConfig, 'kvHeads' | 'headDim' | 'bosId'> & {
  /** Over the weight files, sorted by name; hex. */
  sha256: string
}

/** sha256, hex, over the bytes of the files one after another. */
async function hashFiles(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const path of files) {
    try {
      for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk as Buffer)
    } catch (error) {
      throw readError(error, path)
    }
  }
  return hash.digest('hex')
}

/**
 * Checks config, weight headers and tokenizer of a folder, hashes the weights, and writes the tokenizer's pieces to
 * `piecesFolder`/<sha256>.safetensors.
 * @throws AppError with the code of what is wrong: file-*, model-*, tokenizer-*, disk-full, workspace-unwritable
 */
export async function inspectModel(ask: { path: string; piecesFolder: string }): Promise<ModelInfo> {
  const { config, weights } = await checkModel(ask.path)
  try {
    const tokenizer = await loadTokenizer(ask.path, config.vocabulary)
    const sha256 = await hashFiles(weights.files)
    await writePieces(join(ask.piecesFolder, `${sha256}.safetensors`), tokenizer.pieces)
    const { family, layers, dModel, heads, vocabulary, contextSize, dtype, parameters, weightBytes } = config
    return { family, layers, dModel, heads, vocabulary, contextSize, dtype, parameters, weightBytes, sha256 }
  } finally {
    await weights.close()
  }
}
