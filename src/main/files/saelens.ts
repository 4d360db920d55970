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
import { recoverFolder, replaceFolder, writeError } from './atomic'
import { openSafetensors, writeSafetensors } from './safetensors'

export const WEIGHTS_FILE = 'sae_weights.safetensors'
const CONFIG_FILE = 'cfg.json'
const SPARSITY_FILE = 'sparsity.safetensors'
/** Version of the layout that is written; 6 is where the flat form with nested metadata began. */
const LAYOUT_VERSION = '6.0.0'
const LARGEST_CONFIG_BYTES = 4 * 1024 * 1024

/** Ours -> theirs. */
const TENSOR_NAMES = { wEnc: 'W_enc', bEnc: 'b_enc', wDec: 'W_dec', bDec: 'b_dec' } as const

export type SaelensWeights = Record<string, { shape: number[]; data: Float32Array }>

/** What a folder says about its autoencoder besides the weights. */
export type SaelensOrigin = {
  modelName: string
  hookName: string
  contextSize: number
  prependBos: boolean
  datasetPath: string
  /** Kept under `metadata.monoscope`: scale, seed, figures and the like. */
  monoscope: Record<string, string | number | null>
}

export type SaelensFolder = {
  architecture: string
  dIn: number
  dSae: number
  /** Keys of ours: wEnc, bEnc, wDec, bDec. They act on raw activations, without any shift of the input. */
  weights: SaelensWeights
  /** The whole of cfg.json, unknown keys included. */
  cfg: Record<string, unknown>
  metadata: Record<string, unknown>
}

const Config = z.looseObject({
  architecture: z.string().default('standard'),
  d_in: z.int().min(1).max(1_000_000),
  d_sae: z.int().min(1).max(100_000_000),
  apply_b_dec_to_input: z.boolean().default(true),
  normalize_activations: z.string().nullable().default('none'),
  metadata: z.record(z.string(), z.unknown()).default({}),
})

const invalid = (path: string, reason: string, cause?: unknown) =>
  new AppError('sae-invalid', { path, reason }, { cause })

function configOf(
  sae: { architecture: string; dIn: number; dSae: number },
  origin: SaelensOrigin,
): Record<string, unknown> {
  return {
    architecture: sae.architecture,
    d_in: sae.dIn,
    d_sae: sae.dSae,
    dtype: 'float32',
    device: 'cpu',
    apply_b_dec_to_input: false,
    normalize_activations: 'none',
    reshape_activations: 'none',
    metadata: {
      sae_lens_version: LAYOUT_VERSION,
      sae_lens_training_version: null,
      model_name: origin.modelName,
      model_class_name: 'AutoModelForCausalLM',
      model_from_pretrained_kwargs: {},
      hook_name: origin.hookName,
      hook_head_index: null,
      prepend_bos: origin.prependBos,
      exclude_special_tokens: false,
      context_size: origin.contextSize,
      seqpos_slice: [null],
      dataset_path: origin.datasetPath,
      neuronpedia_id: null,
      monoscope: origin.monoscope,
    },
  }
}

/** sha256 of a file, hex. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) if (chunk instanceof Uint8Array) hash.update(chunk)
  return hash.digest('hex')
}

/**
 * Writes a folder that appears whole or not at all, replacing an older one.
 * @param sae folded weights: raw inputs, unit decoder rows
 * @param firingShare share of tokens each feature fires on [dSae]; stored as log10(share + 1e-10)
 * @returns sha256 of the weights file
 * @throws AppError disk-full, workspace-unwritable
 */
export async function writeSaelens(
  folder: string,
  sae: { architecture: string; dIn: number; dSae: number; weights: SaelensWeights },
  { origin, firingShare }: { origin: SaelensOrigin; firingShare: Float64Array },
): Promise<string> {
  const part = join(dirname(folder), `.${basename(folder)}.${randomBytes(6).toString('hex')}.part`)
  try {
    await mkdir(part, { recursive: true })
    const tensors = Object.entries(TENSOR_NAMES).map(([ours, theirs]) => {
      const weight = sae.weights[ours]
      if (!weight) throw new Error(`weight ${ours} is missing`)
      return [theirs, { dtype: 'F32' as const, shape: weight.shape, data: new Float32Array(weight.data) }] as const
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

async function readConfig(folder: string): Promise<{ config: z.infer<typeof Config>; cfg: Record<string, unknown> }> {
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

async function readWeights(folder: string, { dIn, dSae }: { dIn: number; dSae: number }): Promise<SaelensWeights> {
  const shapes = { wEnc: [dIn, dSae], bEnc: [dSae], wDec: [dSae, dIn], bDec: [dIn] }
  const file = await openSafetensors(join(folder, WEIGHTS_FILE)).catch((error: unknown) => {
    throw error instanceof AppError ? invalid(folder, error.message, error) : error
  })
  try {
    const weights: SaelensWeights = {}
    for (const ours of ['wEnc', 'bEnc', 'wDec', 'bDec'] as const) {
      const theirs = TENSOR_NAMES[ours]
      const shape = file.tensors.get(theirs)?.shape
      if (!shape) throw invalid(folder, `${WEIGHTS_FILE} has no tensor ${theirs}`)
      if (shape.join() !== shapes[ours].join()) {
        throw invalid(folder, `${theirs} has shape [${shape.join(', ')}], not [${shapes[ours].join(', ')}]`)
      }
      weights[ours] = await file.readFloat32(theirs)
    }
    return weights
  } catch (error) {
    throw error instanceof AppError && error.code !== 'sae-invalid' ? invalid(folder, error.message, error) : error
  } finally {
    await file.close()
  }
}

/** (x - b_dec) W_enc + b_enc = x W_enc + (b_enc - b_dec W_enc): the shift of the input moves into b_enc, in float64. */
function foldInputShift(weights: SaelensWeights, { dIn, dSae }: { dIn: number; dSae: number }): void {
  const { wEnc, bEnc, bDec } = weights
  if (!wEnc || !bEnc || !bDec) return
  const shift = new Float64Array(dSae)
  for (let j = 0; j < dIn; j++) {
    const b = bDec.data[j] ?? 0
    for (let i = 0; i < dSae; i++) shift[i] = (shift[i] ?? 0) + b * (wEnc.data[j * dSae + i] ?? 0)
  }
  weights.bEnc = { shape: bEnc.shape, data: bEnc.data.map((b, i) => b - (shift[i] ?? 0)) }
}

/**
 * Reads a standard autoencoder; finite shapes that agree with cfg.json are guaranteed.
 * @throws AppError sae-invalid for a missing, corrupt, contradictory or unsupported folder
 */
export async function readSaelens(folder: string): Promise<SaelensFolder> {
  await recoverFolder(folder)
  const { config, cfg } = await readConfig(folder)
  const normalises = config.normalize_activations ?? 'none'
  if (config.architecture !== 'standard') throw invalid(folder, `architecture ${config.architecture} is not supported`)
  if (normalises !== 'none') throw invalid(folder, `inputs normalised by ${normalises} are not supported`)
  const shape = { dIn: config.d_in, dSae: config.d_sae }
  const weights = await readWeights(folder, shape)
  if (config.apply_b_dec_to_input) foldInputShift(weights, shape)
  return { architecture: config.architecture, ...shape, weights, cfg, metadata: config.metadata }
}
