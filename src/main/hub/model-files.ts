/** Which files of a repository make a model: configuration, tokenizer and safetensors weights, and nothing else. */
import { z } from 'zod'
import { AppError } from '../../shared/errors'
import { isInsidePath } from './source'

const CONFIG = 'config.json'
const TOKENIZER = 'tokenizer.json'
const WEIGHTS = 'model.safetensors'
export const WEIGHT_INDEX = 'model.safetensors.index.json'
export const MAX_INDEX_BYTES = 32 * 1024 ** 2
const MAX_SHARDS = 2000

/** Taken when they are there. */
const EXTRAS = [
  'generation_config.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'chat_template.jinja',
  'chat_template.json',
]

/**
 * Names of the files to take, weights in shards left out, and whether the shards have to be read from the index.
 * @throws AppError `hub-files-missing`
 */
export function chooseModelFiles(names: readonly string[], source: string): { files: string[]; isSharded: boolean } {
  const has = new Set(names)
  const isSharded = !has.has(WEIGHTS)
  const missing = [CONFIG, TOKENIZER].filter((name) => !has.has(name))
  if (isSharded && !has.has(WEIGHT_INDEX)) missing.push(WEIGHTS)
  if (missing.length > 0) throw new AppError('hub-files-missing', { source, files: missing.join(', ') })
  const extras = EXTRAS.filter((name) => has.has(name))
  return { files: [CONFIG, ...extras, TOKENIZER, isSharded ? WEIGHT_INDEX : WEIGHTS], isSharded }
}

const Index = z.object({ weight_map: z.record(z.string(), z.string().refine(isInsidePath)) })

/**
 * The files that an index of shards names.
 * @throws AppError `hub-files-missing` when it names files that are not there, or none
 */
export function shardsOf(index: Uint8Array, names: readonly string[], source: string): string[] {
  const parsed = Index.safeParse(parseJson(index))
  const shards = parsed.success ? [...new Set(Object.values(parsed.data.weight_map))].sort() : []
  const isUsable =
    shards.length > 0 && shards.length <= MAX_SHARDS && shards.every((name) => name.endsWith('.safetensors'))
  if (!isUsable) throw new AppError('hub-files-missing', { source, files: WEIGHT_INDEX })
  const has = new Set(names)
  const missing = shards.filter((name) => !has.has(name))
  if (missing.length > 0) throw new AppError('hub-files-missing', { source, files: missing.slice(0, 5).join(', ') })
  return shards
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return null
  }
}
