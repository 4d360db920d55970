/** What is known of the features of an autoencoder: figures, contexts, and what people wrote. Part of the domain, see domain.ts. */
import { z } from 'zod'
import { plainLine } from './plain-text'
import { Id } from './training'

const Name = z.string().trim().min(1).max(200)
/** UTC ISO time, as stored. */
const Time = z.string()

/** float32 values travel as typed arrays on every wire. */
export const Float32 = z.instanceof(Float32Array)

/**
 * One character-complete piece of text: usually one token, several when bytes of one character are spread over tokens.
 * `value` is the largest activation of its tokens; `special` marks BOS and the like.
 */
export const TokenSpan = z.object({
  text: z.string(),
  ids: z.array(z.int()),
  value: z.number(),
  special: z.boolean(),
})
export type TokenSpan = z.infer<typeof TokenSpan>

/** A stretch of a document around a token on which a feature fires; `peak` is its place in `spans`. */
export const Context = z.object({
  documentIndex: z.int(),
  /** Position of that token in its document, and of the first one that is shown. */
  position: z.int(),
  start: z.int(),
  /** Activation at that token. */
  value: z.number(),
  spans: z.array(TokenSpan),
  peak: z.int(),
})
export type Context = z.infer<typeof Context>

export const Tag = z.object({ id: Id, name: Name, color: z.int().min(1).max(8) })
export type Tag = z.infer<typeof Tag>

/** What people may change of a tag. Tags of one category stand together; '' is none. */
export const TagFacts = z.object({
  name: plainLine(100, 1),
  color: Tag.shape.color,
  category: plainLine(100),
})
export type TagFacts = z.infer<typeof TagFacts>

/** A tag with how many features of one autoencoder carry it. */
export const CountedTag = Tag.extend({ category: TagFacts.shape.category, count: z.int() })
export type CountedTag = z.infer<typeof CountedTag>

/** How well a label fits what its feature fires on, after the rubric of "Scaling Monosemanticity": 0 not at all, 3 cleanly. */
export const LabelScore = z.int().min(0).max(3)
export const LABEL_SCORES = [0, 1, 2, 3] as const

/** One row of the feature list. */
export const FeatureRow = z.object({
  saeId: Id,
  featureIndex: z.int(),
  label: z.string().nullable(),
  /** How well the label fits; null where nobody judged. */
  score: LabelScore.nullable(),
  tags: z.array(Tag),
  /** Share of tokens on which the feature is above zero, 0 to 1. */
  density: z.number(),
  firedTokens: z.int(),
  maxActivation: z.number(),
  /** Of the activations above zero. */
  meanActivation: z.number(),
  /** Counts of non-zero activations in 25 equal bins from 0 to max, for the small histogram. */
  histogram: Float32,
  /** Spans around the peak of the strongest context; empty for a silent feature. */
  peakSpans: z.array(TokenSpan),
  topToken: z.string().nullable(),
})
export type FeatureRow = z.infer<typeof FeatureRow>

/** A named list of features. */
export const FeatureList = z.object({ id: Id, name: Name })
export type FeatureList = z.infer<typeof FeatureList>

export const Note = z.object({ id: Id, text: z.string(), author: z.string(), createdAt: Time })
export type Note = z.infer<typeof Note>

/** A filter and order of the feature list under a name; `query` is that of its address. */
export const SavedView = z.object({ id: Id, name: Name, query: z.string() })
export type SavedView = z.infer<typeof SavedView>

export const Label = z.object({
  ...{ id: Id, text: z.string(), author: z.string(), createdAt: Time, chosen: z.boolean() },
  /** Null until somebody judges. */
  score: LabelScore.nullable(),
})
export type Label = z.infer<typeof Label>

export const SafetyCategory = z.enum([
  'bias-misinformation',
  'software-exploits',
  'toxicity',
  'power-seeking',
  'dangers-of-ai',
  'dangerous-criminal',
  'weapons-catastrophe',
  'deception-manipulation',
  'situational-awareness',
  'self-identity',
  'politics',
])
export type SafetyCategory = z.infer<typeof SafetyCategory>

export const SafetyFlag = z.object({
  id: Id,
  saeId: Id,
  featureIndex: z.int(),
  category: SafetyCategory,
  reason: z.string(),
  createdAt: Time,
})
export type SafetyFlag = z.infer<typeof SafetyFlag>

/** Another feature, as one that is named beside what is looked at. */
export const NamedFeature = z.object({
  featureIndex: z.int(),
  label: z.string().nullable(),
  density: z.number(),
  topToken: z.string().nullable(),
})
export type NamedFeature = z.infer<typeof NamedFeature>

/** A feature whose decoder row points in a similar direction: the cosine between the two rows, -1 to 1. */
export const Neighbour = NamedFeature.extend({ cosine: z.number() })
export type Neighbour = z.infer<typeof Neighbour>

/** A feature that is often active on the same tokens: on which share of the sampled ones. */
export const Partner = NamedFeature.extend({ share: z.number() })
export type Partner = z.infer<typeof Partner>

/** A token and what one unit of a feature adds to its logit, before the final norm's division. */
export const LogitToken = z.object({ id: z.int(), text: z.string(), weight: z.number() })
export type LogitToken = z.infer<typeof LogitToken>

/** What the weights alone say of a feature. */
export const FeatureWeights = z.object({
  decoderNorm: z.number(),
  /** Between encoder column and decoder row. */
  encoderCosine: z.number(),
  /** The nearest first. */
  neighbours: z.array(Neighbour),
  /** Null where the autoencoder does not act on the residual stream. */
  logits: z
    .object({
      /** From the largest down, and from the smallest up. */
      top: z.array(LogitToken),
      bottom: z.array(LogitToken),
      /** Counts of tokens in 50 equal bins from `min` to `max`. */
      histogram: Float32,
      min: z.number(),
      max: z.number(),
    })
    .nullable(),
})
export type FeatureWeights = z.infer<typeof FeatureWeights>

/** Everything the feature page shows. */
export const FeatureDetail = FeatureRow.extend({
  /** Counts of non-zero activations in 50 equal bins from 0 to max. */
  fineHistogram: Float32,
  /** The strongest, each from another document. */
  contexts: z.array(Context),
  /** Equal parts of the way from 0 to the largest activation, from the top down; the uppermost may be cut short by it. */
  intervals: z.array(
    z.object({
      from: z.number(),
      to: z.number(),
      /** Of `firedTokens` of the feature, those with an activation in here. */
      firedTokens: z.int(),
      /** Drawn at random from them. */
      contexts: z.array(Context),
    }),
  ),
  together: z.object({ sampledTokens: z.int(), features: z.array(Partner) }),
  labels: z.array(Label),
  notes: z.array(Note),
  lists: z.array(FeatureList),
  safety: z.array(SafetyFlag),
  weights: FeatureWeights,
})
export type FeatureDetail = z.infer<typeof FeatureDetail>

export const FeatureSort = z.enum(['index', 'density', 'max', 'mean', 'label', 'score'])
export type FeatureSort = z.infer<typeof FeatureSort>
const YesNo = z.enum(['any', 'yes', 'no']).default('any')
export const FeatureFilter = z.object({
  /** Part of the chosen label. */
  text: z.string().max(200).default(''),
  /** Words of the strongest contexts, the last of which may go on. */
  contexts: z.string().max(200).default(''),
  state: z.enum(['any', 'alive', 'silent']).default('any'),
  labelled: YesNo,
  /** Of the chosen label, at least. */
  minScore: LabelScore.nullable().default(null),
  tagged: YesNo,
  /** Whether it is in a safety category. */
  flagged: YesNo,
  tagIds: z.array(Id).max(50).default([]),
  listIds: z.array(Id).max(50).default([]),
  minDensity: z.number().min(0).max(1).nullable().default(null),
  maxDensity: z.number().min(0).max(1).nullable().default(null),
  /** Of the largest activation, and of the mean of those above zero. */
  minMax: z.number().min(0).nullable().default(null),
  maxMax: z.number().min(0).nullable().default(null),
  minMean: z.number().min(0).nullable().default(null),
  maxMean: z.number().min(0).nullable().default(null),
})
export type FeatureFilter = z.infer<typeof FeatureFilter>
