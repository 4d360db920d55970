/** What stands before a text that is read for an autoencoder: what stood there in its training, where its folder says so. */
import { join } from 'node:path'
import type { TextStart } from '../../shared/text-start'
import { CONFIG_FILE, readConfig } from '../files/saelens'
import type { SaelensFolder } from '../files/saelens'
import { isFile } from '../engine/lm/weights'
import type { ModelSource } from '../jobs/messages'

/** Folder of the last checkpoint's autoencoder in that of a run. */
export const SAE_CHECKPOINT = 'sae-checkpoint'

/** `prepend_bos` of cfg.json: in its metadata, or beside it in folders of SAELens before 6. Else what was chosen for the model. */
export function startFor(
  model: Pick<ModelSource, 'textStart'>,
  sae: Pick<SaelensFolder, 'cfg' | 'metadata'>,
): TextStart {
  const said = sae.metadata.prepend_bos ?? sae.cfg.prepend_bos
  if (typeof said !== 'boolean') return model.textStart ?? 'own'
  return said ? 'bos' : 'none'
}

/** The same for an autoencoder that is not loaded. @throws AppError sae-invalid */
export async function startForFolder(model: Pick<ModelSource, 'textStart'>, folder: string): Promise<TextStart> {
  const { cfg, config } = await readConfig(folder)
  return startFor(model, { cfg, metadata: config.metadata })
}

/** The model as it is read for an autoencoder. */
export const modelFor = <T extends ModelSource>(model: T, sae: Pick<SaelensFolder, 'cfg' | 'metadata'>): T => ({
  ...model,
  textStart: startFor(model, sae),
})

/**
 * The model as an unfinished run read it, whatever was chosen for it since.
 * @param runFolder without a checkpoint the model is as it is
 * @throws AppError sae-invalid
 */
export async function modelAsBefore<T extends ModelSource>(model: T, runFolder: string): Promise<T> {
  const folder = join(runFolder, SAE_CHECKPOINT)
  if (!(await isFile(join(folder, CONFIG_FILE)))) return model
  return { ...model, textStart: await startForFolder(model, folder) }
}
