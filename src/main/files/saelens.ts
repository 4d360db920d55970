/**
 * Autoencoders on disk in the SAELens v6 layout: `cfg.json`, `sae_weights.safetensors`, `sparsity.safetensors`.
 * This is the one place where our names turn into the names of that format and back.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../../shared/errors'
import { hfHookName } from './hf-hook-name'
import { recoverFolder, replaceFolder, writeError } from './atomic'
import { openSafetensors, writeSafetensors } from './safetensors'
import type { SafetensorsFile } from './safetensors'
import { foldInputShift, foldRescaling } from './saelens-fold'
import type { SaelensWeights } from './saelens-fold'

export const WEIGHTS_FILE = 'sae_weights.safetensors'
export const CONFIG_FILE = 'cfg.json'
const SPARSITY_FILE = 'sparsity.safetensors'
/** Version of the layout that is written; 6 is where the flat form with nested metadata began. */
const LAYOUT_VERSION = '6.0.0'
const LARGEST_CONFIG_BYTES = 4 * 1024 * 1024

/** Kinds of dictionaries that the format has names for and we can use. */
export const SaelensArchitecture = z.enum(['standard', 'topk', 'jumprelu', 'gated'])
export type SaelensArchitecture = z.infer<typeof SaelensArchitecture>

/** Ours -> theirs. */
const TENSOR_NAMES: Record<string, string> = {
  ...{ wEnc: 'W_enc', bEnc: 'b_enc', wDec: 'W_dec', bDec: 'b_dec' },
  ...{ threshold: 'threshold', bGate: 'b_gate', bMag: 'b_mag', rMag: 'r_mag' },
}
/** Older jumprelu folders hold the logarithm under this name. */
const LOG_THRESHOLD = 'log_threshold'

const USUAL = ['wEnc', 'bEnc', 'wDec', 'bDec']
const WEIGHTS_OF: Record<SaelensArchitecture, readonly string[]> = {
  standard: USUAL,
  topk: USUAL,
  jumprelu: [...USUAL, 'threshold'],
  gated: ['wEnc', 'bGate', 'rMag', 'bMag', 'wDec', 'bDec'],
}

/** What a folder says about its autoencoder besides the weights. */
export type SaelensOrigin = {
  modelName: string
  hookName: string
  contextSize: number
  prependBos: boolean
  datasetPath: string
  /** Token ids that were left out of training wherever they stood; unknown unless given. */
  excludedIds?: readonly number[]
  /** Family of the model; names the hook in Hugging Face's words where it is given. */
  family?: string
  /** Kept under `metadata.monoscope`: scale, seed, figures and the like. */
  monoscope: Record<string, string | number | null>
}

/** An autoencoder to write. */
export type SaeToWrite = {
  architecture: SaelensArchitecture
  dIn: number
  dSae: number
  /** Folded weights: raw inputs, unit decoder rows. Names are ours, see WEIGHTS_OF. */
  weights: SaelensWeights
  /** Whether b_dec is subtracted from the input. */
  shiftsInput: boolean
  /** topk only: active features per token. */
  k: number | null
}

/** What was read; its weights act on raw activations without any shift of the input, which is part of the biases. */
export type SaelensFolder = Omit<SaeToWrite, 'shiftsInput'> & {
  /** The whole of cfg.json, unknown keys included. */
  cfg: Record<string, unknown>
  metadata: Record<string, unknown>
}

const Config = z.looseObject({
  architecture: z.string().default('standard'),
  k: z.unknown().optional(),
  rescale_acts_by_decoder_norm: z.boolean().default(false),
  d_in: z.int().min(1).max(1_000_000),
  d_sae: z.int().min(1).max(100_000_000),
  apply_b_dec_to_input: z.boolean().default(true),
  normalize_activations: z.string().nullable().default('none'),
  metadata: z.record(z.string(), z.unknown()).default({}),
})

const invalid = (path: string, reason: string, cause?: unknown) =>
  new AppError('sae-invalid', { path, reason }, { cause })

function configOf(sae: SaeToWrite, origin: SaelensOrigin): Record<string, unknown> {
  const { family, hookName, excludedIds = [] } = origin
  return {
    architecture: sae.architecture,
    d_in: sae.dIn,
    d_sae: sae.dSae,
    dtype: 'float32',
    device: 'cpu',
    apply_b_dec_to_input: sae.shiftsInput,
    normalize_activations: 'none',
    reshape_activations: 'none',
    ...(sae.architecture === 'topk' ? { k: sae.k, rescale_acts_by_decoder_norm: false } : {}),
    metadata: {
      sae_lens_version: LAYOUT_VERSION,
      sae_lens_training_version: null,
      model_name: origin.modelName,
      // The class whose hooks are named like ours; hf_hook_name is the same place in AutoModelForCausalLM.
      model_class_name: 'HookedTransformer',
      model_from_pretrained_kwargs: {},
      hook_name: hookName,
      hf_hook_name: family === undefined ? null : hfHookName(family, hookName),
      hook_head_index: null,
      prepend_bos: origin.prependBos,
      exclude_special_tokens: excludedIds.length > 0 ? [...excludedIds] : false,
      context_size: origin.contextSize,
      seqpos_slice: [null],
      dataset_path: origin.datasetPath,
      neuronpedia_id: null,
      monoscope: origin.monoscope,
    },
  }
}

function theirsOf(ours: string): string {
  const theirs = TENSOR_NAMES[ours]
  if (!theirs) throw new Error(`weight ${ours} has no name in the format`)
  return theirs
}

/** sha256 of a file, hex. */
export const sha256OfFile = (path: string): Promise<string> => sha256OfFiles([path])

/** sha256 of files one after another, hex. */
export async function sha256OfFiles(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const path of paths) {
    for await (const chunk of createReadStream(path)) if (chunk instanceof Uint8Array) hash.update(chunk)
  }
  return hash.digest('hex')
}

/**
 * Writes a folder that appears whole or not at all, replacing an older one.
 * @param firingShare share of tokens each feature fires on [dSae]; stored as log10(share + 1e-10)
 * @returns sha256 of the weights file
 * @throws AppError disk-full, workspace-unwritable
 */
export async function writeSaelens(
  folder: string,
  sae: SaeToWrite,
  { origin, firingShare }: { origin: SaelensOrigin; firingShare: Float64Array },
): Promise<string> {
  const part = join(dirname(folder), `.${basename(folder)}.${randomBytes(6).toString('hex')}.part`)
  try {
    await mkdir(part, { recursive: true })
    const tensors = WEIGHTS_OF[sae.architecture].map((ours) => {
      const weight = sae.weights[ours]
      if (!weight) throw new Error(`weight ${ours} is missing`)
      return [
        theirsOf(ours),
        { dtype: 'F32' as const, shape: weight.shape, data: new Float32Array(weight.data) },
      ] as const
    })
    await writeSafetensors(join(part, WEIGHTS_FILE), Object.fromEntries(tensors))
    const sparsity = Float32Array.from(firingShare, (share) => Math.log10(share + 1e-10))
    await writeSafetensors(join(part, SPARSITY_FILE), { sparsity: { dtype: 'F32', shape: [sae.dSae], data: sparsity } })
    await writeFile(join(part, CONFIG_FILE), `${JSON.stringify(configOf(sae, origin), null, 2)}\n`)
    const sha256 = await sha256OfFile(join(part, WEIGHTS_FILE))
    await replaceFolder(part, folder)
    return sha256
  } catch (error) {
    await rm(part, { recursive: true, force: true }).catch(() => undefined)
    throw writeError(error, folder)
  }
}

/** cfg.json, whole and as it is used. @throws AppError sae-invalid */
export async function readConfig(
  folder: string,
): Promise<{ config: z.infer<typeof Config>; cfg: Record<string, unknown> }> {
  let text: string
  try {
    text = await readFile(join(folder, CONFIG_FILE), 'utf8')
  } catch (error) {
    throw invalid(folder, `${CONFIG_FILE} cannot be read`, error)
  }
  if (text.length > LARGEST_CONFIG_BYTES) throw invalid(folder, `${CONFIG_FILE} is too large`)
  try {
    const cfg = z.record(z.string(), z.unknown()).parse(JSON.parse(text))
    return { cfg, config: Config.parse(cfg) }
  } catch (error) {
    throw invalid(folder, `${CONFIG_FILE} does not describe an autoencoder`, error)
  }
}

const shapeOf = (ours: string, { dIn, dSae }: { dIn: number; dSae: number }): number[] =>
  ours === 'wEnc' ? [dIn, dSae] : ours === 'wDec' ? [dSae, dIn] : ours === 'bDec' ? [dIn] : [dSae]

/** One weight, with its shape checked before anything is read; `theirs` is its name in the file. */
async function readWeight(
  file: SafetensorsFile,
  { theirs, wanted, folder }: { theirs: string; wanted: number[]; folder: string },
): Promise<SaelensWeights[string]> {
  const shape = file.tensors.get(theirs)?.shape
  if (!shape) throw invalid(folder, `${WEIGHTS_FILE} has no tensor ${theirs}`)
  if (shape.join() !== wanted.join()) {
    throw invalid(folder, `${theirs} has shape [${shape.join(', ')}], not [${wanted.join(', ')}]`)
  }
  return file.readFloat32(theirs)
}

async function readWeights(
  folder: string,
  architecture: SaelensArchitecture,
  size: { dIn: number; dSae: number },
): Promise<SaelensWeights> {
  const file = await openSafetensors(join(folder, WEIGHTS_FILE)).catch((error: unknown) => {
    throw error instanceof AppError ? invalid(folder, error.message, error) : error
  })
  try {
    const weights: SaelensWeights = {}
    for (const ours of WEIGHTS_OF[architecture]) {
      const isLog = ours === 'threshold' && !file.tensors.has('threshold') && file.tensors.has(LOG_THRESHOLD)
      const theirs = isLog ? LOG_THRESHOLD : theirsOf(ours)
      const { shape, data } = await readWeight(file, { theirs, wanted: shapeOf(ours, size), folder })
      weights[ours] = { shape, data: isLog ? data.map(Math.exp) : data }
    }
    return weights
  } catch (error) {
    throw error instanceof AppError && error.code !== 'sae-invalid' ? invalid(folder, error.message, error) : error
  } finally {
    await file.close()
  }
}

/** The decoder of an autoencoder, read a few rows at a time. */
export type DecoderFile = {
  dIn: number
  dSae: number
  /** W_dec [first, first + count) as it is stored [count, dIn], row-major; fewer at the end. */
  rows(first: number, count: number): Promise<Float32Array>
  close(): Promise<void>
}

/** Opens the decoder alone. @throws AppError sae-invalid; `rows` file-truncated */
export async function openDecoder(folder: string): Promise<DecoderFile> {
  await recoverFolder(folder)
  const file = await openSafetensors(join(folder, WEIGHTS_FILE)).catch((error: unknown) => {
    throw error instanceof AppError ? invalid(folder, error.message, error) : error
  })
  const theirs = theirsOf('wDec')
  const [dSae, dIn, ...more] = file.tensors.get(theirs)?.shape ?? []
  if (dSae === undefined || dIn === undefined || more.length > 0) {
    await file.close()
    throw invalid(folder, `${WEIGHTS_FILE} has no matrix ${theirs}`)
  }
  const rows = async (first: number, count: number) => (await file.readFloat32(theirs, { first, count })).data
  return { dIn, dSae, rows, close: () => file.close() }
}

/** topk only: how many features are active per token. */
function kOf(folder: string, architecture: SaelensArchitecture, { k, dSae }: { k: unknown; dSae: number }) {
  if (architecture !== 'topk') return null
  const parsed = z.int().min(1).max(dSae).safeParse(k)
  if (parsed.success) return parsed.data
  throw invalid(folder, `${CONFIG_FILE} has to give k as a whole number from 1 to ${dSae}`)
}

/**
 * Reads an autoencoder. Shapes agree with cfg.json; thresholds are at least 0; what the format lets a reader do to inputs and
 * activations is folded into the weights.
 * @throws AppError sae-invalid for a missing, corrupt, contradictory or unsupported folder
 */
export async function readSaelens(folder: string): Promise<SaelensFolder> {
  await recoverFolder(folder)
  const { config, cfg } = await readConfig(folder)
  const normalises = config.normalize_activations ?? 'none'
  const known = SaelensArchitecture.safeParse(config.architecture)
  if (!known.success) throw invalid(folder, `architecture ${config.architecture} is not supported`)
  if (normalises !== 'none') throw invalid(folder, `inputs normalised by ${normalises} are not supported`)
  const architecture = known.data
  const size = { dIn: config.d_in, dSae: config.d_sae }
  const k = kOf(folder, architecture, { k: config.k, dSae: size.dSae })
  const weights = await readWeights(folder, architecture, size)
  const { threshold } = weights
  if (threshold) threshold.data = threshold.data.map((theta) => Math.max(theta, 0))
  if (config.apply_b_dec_to_input) foldInputShift(weights, size)
  if (architecture === 'topk' && config.rescale_acts_by_decoder_norm) foldRescaling(weights, size)
  return { architecture, ...size, weights, k, cfg, metadata: config.metadata }
}
