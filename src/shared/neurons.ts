/** Features against neurons: how strongly features go with single MLP neurons of the layers before them. */
import { z } from 'zod'
import { NamedFeature } from './features'

/** Features that fire on fewer tokens of the atlas are left out: a few tokens would decide their correlations. */
export const LEAST_FIRED = 100
/** The paper's line: at or below it a feature is said to go with no single neuron. */
export const WEAK = 0.3
/** Equal bins of |r| from 0 to 1, each with its upper border; three of ten end at the line. */
export const R_BINS = 20

/** What is asked for; fewer features or tokens where there are no more. */
export const NeuronSettings = z.object({
  features: z.int().min(1).max(131_072).default(1000),
  tokens: z.int().min(100).max(1e8).default(1_000_000),
  /** Draws the features. */
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(0),
})
export type NeuronSettings = z.infer<typeof NeuronSettings>

/** A neuron by its layer and its place in it, both from 0. */
export const NeuronPlace = z.object({ layer: z.int(), neuron: z.int() })
export type NeuronPlace = z.infer<typeof NeuronPlace>

/** What one measurement found over all its features, and what that rests on. */
export const NeuronSummary = z.object({
  datasetName: z.string(),
  datasetSha256: z.string(),
  modelSha256: z.string(),
  /** Tokens that counted, and attention sinks that were left out. */
  tokens: z.int(),
  sinkTokens: z.int(),
  /** Layers before the autoencoder, from the first on, and the neurons of them all. */
  layers: z.int(),
  neurons: z.int(),
  /** Features that were drawn, and those they were drawn from: {@link LEAST_FIRED} or more firings in the atlas. */
  features: z.int(),
  eligible: z.int(),
  seed: z.int(),
  /** Features in each bin of their best |r|. */
  histogram: z.array(z.int()).length(R_BINS),
  /** Share of the features whose best |r| is at or below {@link WEAK}, 0 to 1. */
  weakShare: z.number(),
  measuredAt: z.string(),
})
export type NeuronSummary = z.infer<typeof NeuronSummary>

/** The neuron with the largest |r|; none where every r is 0. */
export const BestNeuron = z.object({
  place: NeuronPlace.nullable(),
  /** Signed, -1 to 1. */
  r: z.number(),
  /** Tokens of the measurement on which the feature fires. */
  firedTokens: z.int(),
})
export type BestNeuron = z.infer<typeof BestNeuron>

/** A measurement of one autoencoder, with the features that go with a neuron most. */
export const NeuronMatches = z.object({
  summary: NeuronSummary,
  /** By |r|, the largest first. */
  rows: z.array(BestNeuron.extend({ feature: NamedFeature })),
})
export type NeuronMatches = z.infer<typeof NeuronMatches>
