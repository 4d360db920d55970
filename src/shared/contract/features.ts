/** The features of one autoencoder: list, page, labels and tags. */
import { z } from 'zod'
import {
  CountedTag,
  FeatureDetail,
  FeatureFilter,
  FeatureRow,
  FeatureSort,
  Id,
  Int32,
  Label,
  LabelScore,
  NamedFeature,
  Tag,
  TagFacts,
  TokenSpan,
} from '../domain'
import { plainLine } from '../plain-text'
import { call } from '../wire'

const featureIndex = z.int().min(0)
export const feature = { saeId: Id, featureIndex }

export const FeaturePage = z.object({
  rows: z.array(FeatureRow),
  /** Features that match the filter; when `isMore`, at least so many: `features.count` knows the rest. */
  matching: z.int(),
  isMore: z.boolean(),
  /** All of the autoencoder, and those that fire. */
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
  'features.count': call(z.object({ saeId: Id, filter: FeatureFilter.prefault({}) }), z.int()),
  'features.get': call(z.object(feature), FeatureDetail),
  /** What some features are called, in the order asked; those that the atlas does not have are left out. */
  'features.named': call(
    z.object({ saeId: Id, featureIndexes: z.array(featureIndex).max(500) }),
    z.array(NamedFeature),
  ),
  /** Tokens [start, start + length) of a document of the atlas's corpus, as far as it goes, without activations. */
  'features.passage': call(
    z.object({ saeId: Id, documentIndex: z.int().min(0), start: z.int().min(0), length: z.int().min(1).max(2000) }),
    z.object({ spans: z.array(TokenSpan) }),
  ),
  /** Adds a label and chooses it. An empty text removes the chosen label. */
  'features.label': call(
    z.object({ ...feature, text: plainLine(500), author: plainLine(100).default('') }),
    z.array(Label),
  ),
  /** Judges how well a label fits; null takes the judgement back. */
  'features.score': call(z.object({ ...feature, labelId: Id, score: LabelScore.nullable() }), z.array(Label)),
  /** Puts a tag on features, making the tag if it is new; `added` did not have it before. */
  'features.tag': call(
    z.object({
      saeId: Id,
      featureIndexes: z.array(featureIndex).min(1).max(10000),
      name: plainLine(100, 1),
    }),
    Tag.extend({ added: z.array(z.int()) }),
  ),
  'features.untag': call(
    z.object({ saeId: Id, featureIndexes: z.array(featureIndex).min(1).max(10000), tagId: Id }),
    z.null(),
  ),
  /** Every feature that carries a tag, ascending. */
  'tags.features': call(z.object({ saeId: Id, tagId: Id }), z.object({ featureIndexes: Int32 })),
  /** By category, then by name; those without a category first. */
  'tags.list': call(z.object({ saeId: Id }), z.array(CountedTag)),
  /** For every autoencoder of the workspace. A name that another tag has is refused. */
  'tags.change': call(z.object({ tagId: Id, ...TagFacts.shape }), CountedTag.omit({ count: true })),
}
