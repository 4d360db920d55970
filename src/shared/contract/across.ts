/** Features of other autoencoders of the same model and hook that write in a direction like that of a feature: how it splits. */
import { z } from 'zod'
import { Id, Neighbour } from '../domain'
import { call } from '../wire'
import { feature } from './features'

/** One other autoencoder and its nearest features, the nearest first. */
export const OtherSae = z.object({
  saeId: Id,
  name: z.string(),
  dSae: z.int(),
  neighbours: z.array(Neighbour),
})
export type OtherSae = z.infer<typeof OtherSae>

/** Why another autoencoder was not looked at. */
export const LeftOut = z.object({ saeId: Id, name: z.string(), why: z.enum(['atlas', 'file']) })
export type LeftOut = z.infer<typeof LeftOut>

export const across = {
  /** The smallest first. Those without an atlas, or whose files cannot be read, are left out and named. */
  'features.across': call(z.object(feature), z.object({ others: z.array(OtherSae), leftOut: z.array(LeftOut) })),
}
