/** Safety review: features put into the paper's categories with a reason. */
import { z } from 'zod'
import { FeatureRow, Id, SafetyCategory, SafetyFlag } from '../domain'
import { plainLines } from '../plain-text'
import { call } from '../wire'
import { feature } from './features'

export const SafetyEntry = z.object({ flag: SafetyFlag, feature: FeatureRow })
export type SafetyEntry = z.infer<typeof SafetyEntry>

export const safety = {
  /** How many features each category holds, every category named. */
  'safety.counts': call(z.object({ saeId: Id }), z.array(z.object({ category: SafetyCategory, count: z.int() }))),
  'safety.list': call(z.object({ saeId: Id, category: SafetyCategory }), z.array(SafetyEntry)),
  /** Putting a feature into a category it is in already replaces the reason. */
  'safety.assign': call(z.object({ ...feature, category: SafetyCategory, reason: plainLines(2000, 1) }), SafetyFlag),
  'safety.remove': call(z.object({ flagId: Id }), z.null()),
}
