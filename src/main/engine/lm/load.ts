/** From a model folder to a model: config, headers and shapes are checked before any weight is read. */
import { join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../../../shared/errors'
import { tf } from '../tf'
import { FAMILIES } from './families'
import type { FamilyModel, LoadedWeights, ModelConfig, TensorShapes } from './family'
import { LanguageModel } from './model'
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
}

const ELEMENT_BYTES = new Map([['F32', 4], ['F16', 2], ['BF16', 2]]) // prettier-ignore
const DTYPE_NAMES = new Map([['F32', 'float32'], ['F16', 'float16'], ['BF16', 'bfloat16']]) // prettier-ignore

const AnyConfig = z.looseObject({ model_type: z.string() })

/** @throws AppError file-missing, file-unreadable, model-config-invalid, model-family-unknown */
async function readConfig(folder: string): Promise<FamilyModel> {
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
    const reason = error instanceof z.ZodError ? describeIssue(error) : error instanceof Error ? error.message : ''
    throw new AppError('model-config-invalid', { path, reason }, { cause: error })
  }
}

const PREFIXES = ['model.', 'transformer.', 'gpt_neox.']

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
    return { config, family, shapes, weights, storedName }
  } catch (error) {
    await weights.close()
    throw error
  }
}

/**
 * Loads a model onto the open backend, as float32.
 * @param folder with config.json and model.safetensors (or shards and their index), as published on Hugging Face
 * @throws AppError as {@link checkModel}
 */
export async function loadModel(folder: string): Promise<LanguageModel> {
  const { config, family, shapes, weights, storedName } = await checkModel(folder)
  const loaded = new Map<string, tf.Tensor>()
  try {
    for (const [name, shape] of shapes) {
      const { data } = await weights.readFloat32(storedName(name))
      loaded.set(name, tf.tensor(data, shape, 'float32'))
    }
    return new LanguageModel(config, family.build(asWeights(loaded)))
  } catch (error) {
    for (const tensor of loaded.values()) tensor.dispose()
    throw error
  } finally {
    await weights.close()
  }
}

function asWeights(loaded: Map<string, tf.Tensor>): LoadedWeights {
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
