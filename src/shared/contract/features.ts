/** The features of one autoencoder: list, page, labels and tags. */
import { z } from 'zod'
import { FeatureDetail, FeatureFilter, FeatureRow, FeatureSort, Id, Label, Tag } from '../domain'
import { call } from '../wire'

const featureIndex = z.int().min(0)
export const feature = { saeId: Id, featureIndex }

export const FeaturePage = z.object({
  rows: z.array(FeatureRow),
  /** Features that match the filter, and all of the autoencoder. */
  matching: z.int(),
  total: z.int(),
  alive: z.int(),
})
export type FeaturePage = z.infer<typeof FeaturePage>

export const features = {
  'features.list': call(
    z.object({
      saeId: Id,
      filter: FeatureFilter.prefault({}),
      sort: FeatureSort.default('index'),
      descending: z.boolean().default(false),
      offset: z.int().min(0).default(0),
      limit: z.int().min(1).max(500).default(100),
    }),
    FeaturePage,
  ),
  'features.get': call(z.object(feature), FeatureDetail),
  /** Adds a label and chooses it. An empty text removes the chosen label. */
  'features.label': call(
    z.object({ ...feature, text: z.string().trim().max(500), author: z.string().trim().max(100).default('') }),
    z.array(Label),
  ),
  /** Puts a tag on features, making the tag if it is new. */
  'features.tag': call(
    z.object({
      saeId: Id,
      featureIndexes: z.array(featureIndex).min(1).max(10000),
      name: z.string().trim().min(1).max(100),
    }),
    Tag,
  ),
  'features.untag': call(z.object({ ...feature, tagId: Id }), z.null()),
  'tags.list': call(z.object({ saeId: Id }), z.array(Tag.extend({ count: z.int() }))),
}
