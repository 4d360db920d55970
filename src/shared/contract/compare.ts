/** Two features held against each other. */
import { z } from 'zod'
import { Comparison } from '../domain'
import { call } from '../wire'
import { feature } from './features'

/** Contexts of each feature that the other one is read on, at most. */
export const COMPARED_CONTEXTS = 10

export const compare = {
  /** Of autoencoders of the same model that have an atlas; they may be the same one. */
  'features.compare': call(z.object({ one: z.object(feature), other: z.object(feature) }), Comparison),
}
