/** What an autoencoder's folder says about itself, checked against the model that it is to read. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { SaeQuality, SaeSummary } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import { requireHook } from '../engine/lm'
import { readSaelens, sha256OfFile, WEIGHTS_FILE } from '../files/saelens'
import type { Requests } from '../jobs/messages'
import { requireWidth } from './atlas'

/** Beside the SAELens files: what this program measured, for a reader that has not measured it again. */
const FIGURES_FILE = 'monoscope.json'
const Figures = z.object({ name: z.string(), summary: SaeSummary, quality: SaeQuality })
export type SaeFigures = z.infer<typeof Figures>

const Metadata = z.object({
  hook_name: z.string(),
  context_size: z.int().min(2).default(128),
  monoscope: z.object({ training_architecture: z.string().optional(), seed: z.int().optional() }).default({}),
})

async function readFigures(folder: string): Promise<SaeFigures | null> {
  const text = await readFile(join(folder, FIGURES_FILE), 'utf8').catch(() => null)
  if (text === null) return null
  try {
    return Figures.parse(JSON.parse(text))
  } catch (error) {
    throw new AppError('sae-invalid', { path: folder, reason: `${FIGURES_FILE} cannot be used` }, { cause: error })
  }
}

/**
 * @throws AppError sae-invalid when it cannot be read, names no hook, or is made for another width; hook-unknown or hook-absent when
 * the model does not have its hook
 */
export async function inspectSae({
  path,
  model: { dModel, layers, absentHooks },
}: Requests['inspectSae']['ask']): Promise<Requests['inspectSae']['answer']> {
  const { architecture, dIn, dSae, metadata } = await readSaelens(path)
  requireWidth({ dIn }, dModel, path)
  const said = Metadata.safeParse(metadata)
  if (!said.success) throw new AppError('sae-invalid', { path, reason: 'its metadata names no hook' })
  const { hook_name: hookName, context_size: contextSize, monoscope } = said.data
  requireHook(hookName, layers, absentHooks)
  const figures = await readFigures(path)
  return {
    ...{ architecture: monoscope.training_architecture ?? architecture, dIn, dSae, hookName, contextSize },
    ...{ seed: monoscope.seed ?? null, sha256: await sha256OfFile(join(path, WEIGHTS_FILE)) },
    ...{ name: figures?.name ?? null, summary: figures?.summary ?? null, quality: figures?.quality ?? null },
  }
}
