/**
 * What main and a worker process say to each other. Specs are plain data with absolute paths, so that the same job could run on
 * another machine that mounts the workspace. A worker writes files and messages, never the database.
 */
import { z } from 'zod'
import { Backend, Dataset, MetricPoint, Model, NeuronSettings, SaeSummary, TrainConfig } from '../../shared/domain'
import type { BestNeuron, FileKind, NeuronSummary, Passage, Sae, Together } from '../../shared/domain'
import type { Forecast, SaeQuality } from '../../shared/training'
import type { ChatMessage, Generated, Sampling } from '../../shared/contract/lm'
import type { Failure } from '../../shared/errors'
import { TextStart, type StartTokens } from '../../shared/text-start'
import type { FilePart } from '../files/stamp'

const ModelSource = z.object({
  name: z.string(),
  path: z.string(),
  sha256: z.string(),
  family: z.string().optional(),
  /** What stands before every text; `own` unless given. */
  textStart: TextStart.optional(),
})
export type ModelSource = z.infer<typeof ModelSource>
const DatasetSource = z.object({
  name: z.string(),
  path: z.string(),
  textField: z.string().nullable(),
  deduplicate: z.boolean(),
})

/** Train one autoencoder; everything goes into `folder`. */
export const TrainSpec = z.object({
  kind: z.literal('train'),
  name: z.string(),
  config: TrainConfig,
  model: ModelSource,
  dataset: DatasetSource.extend({ sha256: z.string() }),
  /** The run's folder; the worker writes `checkpoint/` and `sae/` (SAELens v6) and `metrics.jsonl` into it. */
  folder: z.string(),
  /** Minutes between checkpoints. */
  checkpointMinutes: z.number().positive(),
  /** The set of activations to train on, where `config.activationsId` names one. */
  activations: z.object({ name: z.string(), folder: z.string() }).nullish(),
  /** Go on from the checkpoint in `folder`. */
  resume: z.boolean().optional(),
})
export type TrainSpec = z.infer<typeof TrainSpec>

/** Encode a dataset once and write statistics and contexts of every feature to `file` (see files/atlas-file.ts). */
export const AtlasSpec = z.object({
  kind: z.literal('atlas'),
  model: ModelSource,
  dataset: DatasetSource.extend({ sha256: z.string() }),
  sae: z.object({ path: z.string(), hookName: z.string(), contextSize: z.int() }),
  /** Output files, safetensors: the atlas, and the token ids of the dataset (see files/corpus-tokens.ts). */
  file: z.string(),
  tokensFile: z.string(),
  /** Contexts kept per feature, from distinct documents, and random ones of each interval. */
  topContexts: z.int().min(1).max(200),
  intervalContexts: z.int().min(1).max(200),
  seed: z.int(),
  /** Parts that are kept on disk one by one, so that a job that was cut off goes on; by the size of the dataset unless given. */
  shards: z.int().min(1).optional(),
  /** See SEGMENT_CHARACTERS. */
  segmentCharacters: z.int().min(1).optional(),
})
export type AtlasSpec = z.infer<typeof AtlasSpec>

/** Run a model over a dataset once and keep its activations in `folder` (see files/activation-shards.ts). */
export const CollectSpec = z.object({
  kind: z.literal('collect'),
  model: ModelSource,
  dataset: DatasetSource.extend({ sha256: z.string() }),
  hookNames: z.array(z.string()).min(1),
  contextSize: z.int(),
  /** Text tokens to train on. */
  tokens: z.int(),
  seed: z.int(),
  folder: z.string(),
  /** About 64 MB unless given. */
  shardBytes: z.number().positive().optional(),
})
export type CollectSpec = z.infer<typeof CollectSpec>

/** Judge an autoencoder on held-out text with the whole model. */
export const EvaluateSpec = AtlasSpec.pick({ model: true, sae: true, seed: true }).extend({
  kind: z.literal('evaluate'),
  dataset: DatasetSource.extend({ sha256: z.string() }),
})
export type EvaluateSpec = z.infer<typeof EvaluateSpec>

/** Lay the features of an autoencoder out in the plane and write the map to `file` (see files/map-file.ts). */
export const MapSpec = z.object({
  kind: z.literal('map'),
  sae: z.object({ path: z.string() }),
  /** Those that never fired in the atlas: their directions mean nothing. */
  deadFeatures: z.array(z.int()),
  seed: z.int(),
  file: z.string(),
})
export type MapSpec = z.infer<typeof MapSpec>

/** Correlate features of an autoencoder with the neurons of the layers before it. */
export const NeuronSpec = AtlasSpec.pick({ model: true, dataset: true, sae: true, seed: true }).extend({
  kind: z.literal('neurons'),
  /** Features to draw from. */
  eligible: z.array(z.int()).min(1),
  settings: NeuronSettings,
})
export type NeuronSpec = z.infer<typeof NeuronSpec>

export const JobSpec = z.discriminatedUnion('kind', [
  TrainSpec,
  AtlasSpec,
  CollectSpec,
  EvaluateSpec,
  MapSpec,
  NeuronSpec,
])
export type JobSpec = z.infer<typeof JobSpec>

/** An autoencoder folder a training has written: a checkpoint or the final one. */
export const SaeArtifact = z.object({
  path: z.string(),
  sha256: z.string(),
  dIn: z.int(),
  dSae: z.int(),
  step: z.int(),
  final: z.boolean(),
  summary: SaeSummary.nullable(),
})
export type SaeArtifact = z.infer<typeof SaeArtifact>

export const AtlasArtifact = z.object({
  file: z.string(),
  tokensFile: z.string(),
  /** Hashes of the small files beside the weights, see files/stamp.ts. */
  settings: z.object({ model: z.string(), sae: z.string() }).optional(),
})
export type AtlasArtifact = z.infer<typeof AtlasArtifact>

// ------------------------------------------------------------- interactive questions to the warm worker

/** What a model folder turned out to hold. */
export const ModelInfo = Model.omit({ id: true, name: true, path: true, source: true, addedAt: true, textStart: true })
export type ModelInfo = z.infer<typeof ModelInfo>

/** What a text turned out to hold. */
export const DatasetInfo = Dataset.omit({
  ...{ id: true, name: true, path: true, source: true, tokenCounts: true, addedAt: true },
})
export type DatasetInfo = z.infer<typeof DatasetInfo>

/** What an autoencoder's folder turned out to hold. */
export type SaeInfo = Pick<
  Sae,
  'architecture' | 'dIn' | 'dSae' | 'hookName' | 'contextSize' | 'seed' | 'sha256' | 'summary' | 'quality'
> & { name: string | null }

export type Requests = {
  /** Which backend this worker computes on. */
  backend: { ask: Record<string, never>; answer: Backend }
  /** Checks a model folder and writes its token pieces (see files/pieces-file.ts) to `piecesFolder`/<sha256>.safetensors. */
  inspectModel: { ask: { path: string; piecesFolder: string }; answer: ModelInfo }
  /** Which tokens may stand before a text. */
  startTokens: { ask: { path: string; vocabulary: number }; answer: StartTokens }
  /** Checks an autoencoder's folder for a model of width `dModel` that has its hook. `name`, `summary` and `quality` are null where nobody measured. */
  inspectSae: { ask: { path: string; model: Pick<Model, 'dModel' | 'layers' | 'absentHooks'> }; answer: SaeInfo }
  inspectDataset: { ask: { path: string; textField: string; deduplicate: boolean }; answer: DatasetInfo }
  /** sha256 of the files of one thing by the rules by which it was added, or of the settings beside them. */
  hashFiles: { ask: { kind: FileKind; path: string; part: FilePart }; answer: { sha256: string } }
  /** The features of the autoencoder at `among` whose decoder rows are most like that of one of another, both [found], the largest first. */
  nearestAcross: {
    ask: { of: { path: string; featureIndex: number }; among: string; count: number }
    answer: { indexes: Int32Array; cosines: Float32Array }
  }
  /** Two features of autoencoders of one model on passages of their corpora; `compareDirections` where their decoders write into one space. */
  compareFeatures: {
    ask: {
      model: z.infer<typeof ModelSource>
      one: { path: string; hookName: string; featureIndex: number }
      other: { path: string; hookName: string; featureIndex: number }
      compareDirections: boolean
      passages: Passage[]
    }
    /** `values` on the stretch of each passage [passages][tokens]. */
    answer: Timed & Together & { cosine: number | null; values: { one: Float32Array; other: Float32Array }[] }
  }
  previewDocuments: {
    ask: { dataset: z.infer<typeof DatasetSource>; first: number; count: number }
    answer: { index: number; text: string; characters: number }[]
  }
  countTokens: {
    ask: { dataset: z.infer<typeof DatasetSource>; documents: number; modelPath: string }
    answer: { tokens: number; isExact: boolean }
  }
  /** Measures for about two seconds what a training would take. */
  forecastRun: {
    ask: {
      config: TrainConfig
      model: z.infer<typeof ModelSource>
      /** `tokens` counted for this model, or null; `bytes` stand for them then. */
      dataset: z.infer<typeof DatasetSource> & { tokens: number | null; bytes: number }
      /** The set that `config.activationsId` names. */
      activations: { tokens: number; dIn: number } | null
      /** On the disk that the run will be written to. */
      folder: string
    }
    answer: Forecast
  }
  /** Every active feature on every token of a text; row r has entries [starts[r], starts[r + 1]). Sinks have none. */
  encodeText: {
    ask: {
      model: z.infer<typeof ModelSource>
      sae: { path: string; hookName: string; contextSize: number }
      text: string
      /** Whether it is to say how much of the text the autoencoder explains. */
      judge: boolean
    }
    answer: Timed & {
      /** Null unless asked for, and of a text of few tokens. */
      explainedVariance: number | null
      ids: Int32Array
      places: Places
      sinks: number
      starts: Uint32Array
      features: Uint32Array
      values: Float32Array
    }
  }
  readText: { ask: { model: z.infer<typeof ModelSource>; text: string; top: number }; answer: Timed & ReadTokens }
  chatText: { ask: { model: z.infer<typeof ModelSource>; messages: ChatMessage[] }; answer: { text: string } }
  /**
   * Features above zero at the last token of every positive and of no negative prompt.
   * `maxActivations` [dSae] come from the atlas and scale the score; `allowed` [dSae] is 1 for features that may be returned.
   */
  searchPrompts: {
    ask: {
      model: z.infer<typeof ModelSource>
      sae: { path: string; hookName: string; contextSize: number }
      prompts: { text: string; positive: boolean }[]
      maxActivations: Float32Array
      allowed: Uint8Array
      limit: number
    }
    answer: Timed & {
      /** Token ids of each prompt as the model read it. */
      promptIds: Int32Array[]
      matching: number
      /** Best score first. */
      featureIndexes: Int32Array
      /** [hits, prompts], row-major. */
      values: Float32Array
      scores: Float32Array
    }
  }
}
export type RequestName = keyof Requests

/** A text as the model read it; token 0 may be a BOS that the text does not have. */
/** Where in the text each token lies: UTF-16 units [2 * time], start and end; null where the tokenizer does not say. */
type Places = Int32Array | null

/** Seconds of the answer itself, once model and autoencoder were loaded. */
export type Timed = { seconds: number }

export type ReadTokens = {
  /** [time] */
  ids: Int32Array
  places: Places
  /** Loss and rank of each token, -1 for the first [time]. */
  losses: Float32Array
  ranks: Int32Array
  /** Most probable next tokens and their probabilities [time, top], row-major. */
  nextIds: Int32Array
  nextProbabilities: Float32Array
}

/** Questions that are answered in many parts. */
export type Streams = {
  generate: { ask: { model: z.infer<typeof ModelSource>; prompts: string[]; sampling: Sampling }; part: Generated }
}
export type StreamName = keyof Streams

// ------------------------------------------------------------- messages

export type ToWorker =
  | { type: 'start'; spec: JobSpec }
  | { type: 'cancel' }
  | { type: 'ask'; id: number; name: RequestName; input: Requests[RequestName]['ask'] }
  | { type: 'stream'; id: number; name: StreamName; input: Streams[StreamName]['ask'] }
  /** The asker of this question has gone. */
  | { type: 'abort'; id: number }

export type FromWorker =
  /** First message: the backend is open. */
  | { type: 'ready'; backend: Backend }
  | { type: 'progress'; done: number; total: number; tokensPerSecond: number | null }
  | { type: 'metrics'; points: MetricPoint[] }
  | { type: 'log'; level: 'info' | 'warn'; text: string }
  | { type: 'checkpoint'; sae: SaeArtifact }
  | { type: 'trained'; sae: SaeArtifact }
  | { type: 'atlas'; atlas: AtlasArtifact }
  | { type: 'evaluated'; quality: SaeQuality }
  | { type: 'map'; file: string }
  | { type: 'neurons'; summary: NeuronSummary; best: (BestNeuron & { featureIndex: number })[] }
  /** All shards of a set of activations are on disk: tokens at each hook point, bytes in all. */
  | { type: 'collected'; set: { tokens: number; bytes: number } }
  /** The job has ended because it was asked to; what it made was announced before. */
  | { type: 'cancelled' }
  /** The most memory a training took, told before it is done. */
  | { type: 'peak'; bytes: number }
  | { type: 'done' }
  | { type: 'failed'; failure: Failure }
  | { type: 'answer'; id: number; ok: Requests[RequestName]['answer'] }
  | { type: 'part'; id: number; part: Streams[StreamName]['part'] }
  | { type: 'streamEnd'; id: number }
  | { type: 'answerFailed'; id: number; failure: Failure }
