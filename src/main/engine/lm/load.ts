/** From a model folder to a model: config, headers and shapes are checked before any weight is read. */
import { join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../../../shared/errors'
import { settle, tf } from '../tf'
import { FAMILIES } from './families'
import { HeadsError } from './family'
import type { FamilyModel, LoadedWeights, ModelConfig, TensorShapes } from './family'
import { HEAD_NAMES, planLoad, requireRoom } from './load-plan'
import { LanguageModel } from './model'
import { requireModelFolder } from './model-folder'
import { describeIssue, openWeights, readJson } from './weights'
import type { WeightFiles } from './weights'

/** A model folder that was found to be whole, with its weight files still open. */
export type CheckedModel = {
  config: ModelConfig
  family: FamilyModel
  shapes: TensorShapes
  weights: WeightFiles
  /** A name with what stands before it in the files: `model.`, `transformer.`, `gpt_neox.`, or nothing. */
  storedName(name: string): string
  /** Names in the files, of tensors the model does not use; see {@link listUnused}. */
  unused: string[]
}

const ELEMENT_BYTES = new Map([['F32', 4], ['F16', 2], ['BF16', 2]]) // prettier-ignore
const DTYPE_NAMES = new Map([['F32', 'float32'], ['F16', 'float16'], ['BF16', 'bfloat16']]) // prettier-ignore

const AnyConfig = z.looseObject({ model_type: z.string() })

/** @throws AppError model-gguf, model-not-folder, file-missing, file-unreadable, model-config-invalid, model-heads-invalid, model-family-unknown */
async function readConfig(folder: string): Promise<FamilyModel> {
  await requireModelFolder(folder)
  const path = join(folder, 'config.json')
  const config = await readJson(path, AnyConfig).catch((error: unknown) => {
    if (!(error instanceof AppError) || error.code !== 'file-corrupt') throw error
    throw new AppError('model-config-invalid', { path, reason: String(error.details.reason) }, { cause: error })
  })
  const family = FAMILIES.find(({ modelType }) => modelType === config.model_type)
  if (!family) {
    const known = FAMILIES.map(({ modelType }) => modelType).join(', ')
    throw new AppError('model-family-unknown', { family: config.model_type, known })
  }
  try {
    return family.parse(config)
  } catch (error) {
    if (error instanceof AppError) throw error
    const reason = error instanceof z.ZodError ? describeIssue(error) : error instanceof Error ? error.message : ''
    const code = error instanceof HeadsError ? 'model-heads-invalid' : 'model-config-invalid'
    throw new AppError(code, { path, reason }, { cause: error })
  }
}

const PREFIXES = [
  ...['model.', 'transformer.', 'gpt_neox.'],
  // The text part of models that also read images, as older and newer exports name it.
  ...['language_model.model.', 'model.language_model.', 'language_model.'],
]

/** Published checkpoints write the decoder's tensors with or without a prefix; the head has none. */
function storedNameIn(weights: WeightFiles): (name: string) => string {
  return (name) => {
    if (weights.tensors.has(name)) return name
    const prefix = PREFIXES.find((one) => weights.tensors.has(one + name))
    return prefix === undefined ? name : prefix + name
  }
}

/** @throws AppError model-tensor-missing, model-tensor-shape, file-corrupt (a type that is not a float) */
function checkTensors(weights: WeightFiles, shapes: TensorShapes, storedName: (name: string) => string): void {
  const missing = [...shapes.keys()].filter((name) => !weights.tensors.has(storedName(name)))
  const tensor = missing[0]
  if (tensor) throw new AppError('model-tensor-missing', { path: weights.folder, tensor, count: missing.length })
  for (const [name, expected] of shapes) {
    const entry = weights.tensors.get(storedName(name))
    if (!entry) continue
    if (entry.shape.join() !== expected.join()) {
      const details = { tensor: storedName(name), actual: entry.shape.join(', '), expected: expected.join(', ') }
      throw new AppError('model-tensor-shape', details)
    }
    if (!ELEMENT_BYTES.has(entry.dtype)) {
      const reason = `the tensor ${name} has the type ${entry.dtype}; use F32, F16 or BF16 weights`
      throw new AppError('file-corrupt', { path: weights.folder, format: 'weights', reason })
    }
  }
}

/** Masks, rotary tables and positions that older exports saved with the weights; they follow from the config. */
const LEGACY_BUFFER =
  /(^|\.)(attn|attention)\.(bias|masked_bias)$|(^|\.)(rotary_emb\.(inv_freq|cos_cached|sin_cached)|position_ids)$/

/** The part of a model that reads images, and the map from there to the residual stream: known, and not computed here. */
const IMAGE_PART = /^(model\.)?(vision_tower|multi_modal_projector)\./

/**
 * What the files hold beside the model, in their order. Legacy buffers are expected, and so is the head of a tied model, which
 * some exports write although it is the embedding.
 */
function listUnused({
  weights,
  shapes,
  storedName,
}: Pick<CheckedModel, 'weights' | 'shapes' | 'storedName'>): string[] {
  const used = new Set(Array.from(shapes.keys(), storedName))
  const isHead = (name: string) => HEAD_NAMES.includes(name.replace(/^language_model\./, ''))
  const isExpected = (name: string) =>
    used.has(name) || isHead(name) || LEGACY_BUFFER.test(name) || IMAGE_PART.test(name)
  return [...weights.tensors.keys()].filter((name) => !isExpected(name))
}

/** Sums over the tensors the model uses. */
function measure({ weights, shapes, storedName }: Pick<CheckedModel, 'weights' | 'shapes' | 'storedName'>) {
  let parameters = 0
  let weightBytes = 0
  const bytesOfType = new Map<string, number>()
  for (const name of shapes.keys()) {
    const { dtype = 'F32', begin = 0, end = 0 } = weights.tensors.get(storedName(name)) ?? {}
    parameters += (end - begin) / (ELEMENT_BYTES.get(dtype) ?? 4)
    weightBytes += end - begin
    bytesOfType.set(dtype, (bytesOfType.get(dtype) ?? 0) + end - begin)
  }
  const [[main] = ['F32']] = [...bytesOfType].sort(([, a], [, b]) => b - a)
  return { parameters, weightBytes, dtype: DTYPE_NAMES.get(main) ?? main }
}

/**
 * Checks config.json and every weight header of a folder. The caller closes `weights`.
 * @throws AppError file-missing, file-unreadable, file-truncated, file-corrupt, model-config-invalid, model-family-unknown,
 * model-tensor-missing, model-tensor-shape
 */
export async function checkModel(folder: string): Promise<CheckedModel> {
  const family = await readConfig(folder)
  const weights = await openWeights(folder)
  try {
    const storedName = storedNameIn(weights)
    const shapes = family.shapes((name) => weights.tensors.has(storedName(name)))
    checkTensors(weights, shapes, storedName)
    const config = { ...family.facts, ...measure({ weights, shapes, storedName }) }
    return { config, family, shapes, weights, storedName, unused: listUnused({ weights, shapes, storedName }) }
  } catch (error) {
    await weights.close()
    throw error
  }
}

/**
 * Loads a model onto the open backend, as float32.
 * @param folder with config.json and model.safetensors (or shards and their index), as published on Hugging Face
 * @param blocks how many blocks to load, for passes that end in one of them; the head is left out, too. All unless given.
 * @throws AppError as {@link checkModel}; model-too-large, model-too-large-wasm, model-tensor-too-large when it does not fit
 */
export function loadModel(folder: string, blocks?: number): Promise<LanguageModel> {
  return load(folder, blocks, (name) => blocks === undefined || isWithin(name, blocks))
}

/**
 * Loads only what makes logits of a residual stream; the model can do nothing but `directLogits`.
 * @throws AppError as {@link loadModel}
 */
export function loadUnembedding(folder: string): Promise<LanguageModel> {
  return load(folder, 0, (name) => HEAD_NAMES.includes(name) || isWithin(name, 0))
}

async function load(folder: string, blocks: number | undefined, wants: (name: string) => boolean) {
  const { config, family, shapes: all, weights, storedName } = await checkModel(folder)
  const shapes = new Map([...all].filter(([name]) => wants(name)))
  const loaded = new Map<string, tf.Tensor>()
  try {
    requireRoom(planLoad({ config, shapes }), shapes)
    for (const [name, shape] of shapes) {
      const { data } = await weights.readFloat32(storedName(name))
      const tensor = tf.tensor(data, shape, 'float32')
      loaded.set(name, tensor)
      settle(tensor)
    }
    const net = family.build({ ...asWeights(loaded), blocks: blocks ?? config.layers })
    // The backend has the values now; the arrays they came in are worth more than the moment that it takes to collect them.
    globalThis.gc?.()
    return new LanguageModel(config, net, blocks)
  } catch (error) {
    for (const tensor of loaded.values()) tensor.dispose()
    throw error
  } finally {
    await weights.close()
  }
}

/** Whether a tensor is needed by the first `blocks` blocks; families number theirs as `h.N.` or `layers.N.`. */
function isWithin(name: string, blocks: number): boolean {
  const [, block] = /(?:^|\.)(?:h|layers)\.(\d+)\./.exec(name) ?? []
  return block === undefined ? !HEAD_NAMES.includes(name) : Number(block) < blocks
}

function asWeights(loaded: Map<string, tf.Tensor>): Omit<LoadedWeights, 'blocks'> {
  const take = (name: string, rank: number): tf.Tensor => {
    const tensor = loaded.get(name)
    if (tensor?.rank !== rank) throw new Error(`${name} is not a loaded tensor of rank ${rank}`)
    return tensor
  }
  return {
    vector: (name) => take(name, 1) as tf.Tensor1D,
    matrix: (name) => take(name, 2) as tf.Tensor2D,
    has: (name) => loaded.has(name),
  }
}
