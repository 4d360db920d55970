/** The bundled demo: a small model, its text and its autoencoders, brought into the workspace and put to use. */
import { z } from 'zod'
import { Dataset, Job, Model, Run, Sae } from '../domain'
import { call } from '../wire'

export const DemoStarted = z.object({
  model: Model,
  /** Text for a first look: the beginning of the bundled sample. */
  dataset: Dataset,
  /** The whole bundled sample. */
  sample: Dataset,
  /** The bundled autoencoders, the one to begin with first. */
  saes: z.array(Sae).min(1),
  /** A small training that has just been queued; its own atlas follows it. */
  run: Run,
  /** The atlas of the first bundled autoencoder, queued behind; null when there is one. */
  atlasJob: Job.nullable(),
})
export type DemoStarted = z.infer<typeof DemoStarted>

export const demo = {
  /** What is in the workspace already is used again; a new training starts every time. `language` of the labels. */
  'demo.start': call(z.object({ language: z.enum(['en', 'ko']).default('en') }), DemoStarted),
}
