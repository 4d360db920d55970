/** The things Monoscope knows: schemas shared by both sides of the wire, and the types that follow from them. */
import { z } from 'zod'
import { Tag, TokenSpan } from './features'
import { Actual, Forecast, Id, SaeQuality, SaeSummary, TrainConfig } from './training'
import { StartTokens, TextStart } from './text-start'

export * from './feature-map'
export * from './feature-pair'
export * from './features'
export * from './neurons'
export * from './training'

const Name = z.string().trim().min(1).max(200)
const FilePath = z.string().min(1).max(4096)
/** UTC ISO time, as stored. */
const Time = z.string()

const FailureShape = z.object({
  code: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number()])),
})

// ---------------------------------------------------------------- library

/** Names of tensors to tell people about; long lists are cut. */
export const TensorNames = z.object({ count: z.int(), first: z.array(z.string()).max(10) })
export type TensorNames = z.infer<typeof TensorNames>

/** A language model found in a folder. Weights stay where they are: a path and a hash, never a copy. */
export const Model = z.object({
  id: Id,
  name: Name,
  path: FilePath,
  family: z.string(),
  layers: z.int(),
  dModel: z.int(),
  heads: z.int(),
  vocabulary: z.int(),
  contextSize: z.int(),
  dtype: z.string(),
  parameters: z.int(),
  weightBytes: z.int(),
  /** Memory the loaded weights need: float32 whatever the stored type, and the transposed head of a tied model. */
  memoryBytes: z.int(),
  /** Hooks its blocks do not have, see shared/hooks.ts. */
  absentHooks: z.array(z.string()),
  /** Tensors of the files that the model does not use, legacy buffers left out: how many, and the first names. */
  unusedTensors: TensorNames,
  /** Tensors that hold a value that is not a finite number. */
  nanTensors: TensorNames,
  hasChatTemplate: z.boolean(),
  /** What stands before every text it reads, and what can; null for a model that was added before this was looked for. */
  textStart: TextStart,
  startTokens: StartTokens.nullable(),
  /** sha256 over the weight files, hex. */
  sha256: z.string(),
  /** `hub:org/name@commit` when it was downloaded; null for a folder the user named. */
  source: z.string().nullable(),
  addedAt: Time,
})
export type Model = z.infer<typeof Model>

export const DatasetFormat = z.enum(['text', 'jsonl', 'csv', 'parquet', 'mixed'])
export type DatasetFormat = z.infer<typeof DatasetFormat>

/** How many tokens a model's tokenizer makes of a dataset. */
export const TokenCount = z.object({
  modelId: Id,
  tokens: z.int(),
  /** False when only a part was read and the rest extrapolated by bytes. */
  isExact: z.boolean(),
})
export type TokenCount = z.infer<typeof TokenCount>

/** A file or folder of documents. */
export const Dataset = z.object({
  id: Id,
  name: Name,
  path: FilePath,
  format: DatasetFormat,
  /** JSON field or column that holds the text; null for plain text. */
  textField: z.string().nullable(),
  files: z.int(),
  documents: z.int(),
  /** Whether a document whose text came before is left out. */
  deduplicate: z.boolean(),
  /** Documents left out for that reason; `documents` does not count them. */
  duplicates: z.int(),
  /** For every model it was counted with. */
  tokenCounts: z.array(TokenCount),
  /** `hub:org/name@commit` with its rows when it was downloaded; null for a file the user named. */
  source: z.string().nullable(),
  bytes: z.int(),
  sha256: z.string(),
  /** The first characters of the first document. */
  preview: z.string(),
  addedAt: Time,
})
export type Dataset = z.infer<typeof Dataset>

// ---------------------------------------------------------------- hub

export const DownloadState = z.enum(['listing', 'downloading', 'checking', 'done', 'failed', 'cancelled'])
export type DownloadState = z.infer<typeof DownloadState>

/** One model or dataset on its way from the hub into the library. Lives as long as the process. */
export const Download = z.object({
  id: Id,
  kind: z.enum(['model', 'dataset']),
  /** `org/name`, with `@revision` when one was asked for. */
  source: z.string(),
  state: DownloadState,
  /** File being transferred; null before and after. */
  file: z.string().nullable(),
  doneBytes: z.int(),
  /** Null until the files were listed. */
  totalBytes: z.int().nullable(),
  bytesPerSecond: z.number().nullable(),
  failure: FailureShape.nullable(),
  /** What it became. */
  modelId: Id.nullable(),
  datasetId: Id.nullable(),
})
export type Download = z.infer<typeof Download>

// ---------------------------------------------------------------- compute

export const BackendName = z.enum(['tensorflow', 'wasm', 'cpu'])
export type BackendName = z.infer<typeof BackendName>

/** Which tfjs backend computes, and why. Stored with every run. */
export const Backend = z.object({
  name: BackendName,
  /** Human-readable device, e.g. "CPU, TensorFlow 1.15.0". */
  device: z.string(),
  /** Why the preferred backends were not taken; empty when the first choice works. */
  reason: z.string(),
})
export type Backend = z.infer<typeof Backend>

// ---------------------------------------------------------------- runs and jobs

/** Whose files are watched: they may change under what was made from them. */
export const FileKind = z.enum(['model', 'sae', 'dataset'])
export type FileKind = z.infer<typeof FileKind>

export const JobState = z.enum(['queued', 'running', 'cancelling', 'done', 'failed', 'cancelled', 'interrupted'])
export type JobState = z.infer<typeof JobState>
const ENDED: readonly JobState[] = ['done', 'failed', 'cancelled', 'interrupted']
/** Whether a job will not change any more. */
export const hasEnded = (state: JobState): boolean => ENDED.includes(state)
export const JobKind = z.enum(['train', 'atlas', 'collect', 'evaluate', 'map', 'neurons'])
export type JobKind = z.infer<typeof JobKind>

/** One process's worth of work. A run may take several jobs. */
export const Job = z.object({
  id: Id,
  kind: JobKind,
  state: JobState,
  runId: Id.nullable(),
  saeId: Id.nullable(),
  /** What the user sees: name of the run or autoencoder. */
  title: z.string(),
  /** Progress in units of the job: steps for training, documents for an atlas. */
  done: z.int(),
  total: z.int(),
  tokensPerSecond: z.number().nullable(),
  failure: FailureShape.nullable(),
  createdAt: Time,
  startedAt: Time.nullable(),
  endedAt: Time.nullable(),
})
export type Job = z.infer<typeof Job>

/** Activations of one model over one dataset, kept on disk at several hook points to train on. */
export const ActivationSet = z.object({
  id: Id,
  name: Name,
  modelId: Id,
  modelName: Name,
  datasetId: Id,
  datasetName: Name,
  hookNames: z.array(z.string()),
  contextSize: z.int(),
  /** Text tokens asked for, and vectors on disk at each hook point, held-out ones among them; 0 until the set is complete. */
  tokens: z.int(),
  storedTokens: z.int(),
  dIn: z.int(),
  /** On disk; 0 until the set is complete. */
  bytes: z.int(),
  seed: z.int(),
  /** Of the latest job that collects it; `done` means complete. */
  state: JobState,
  jobId: Id.nullable(),
  /** Text tokens the model has run over so far, and those it will. */
  done: z.int(),
  total: z.int(),
  failure: FailureShape.nullable(),
  createdAt: Time,
})
export type ActivationSet = z.infer<typeof ActivationSet>

/** One training experiment. */
export const Run = z.object({
  id: Id,
  name: Name,
  config: TrainConfig,
  modelName: z.string(),
  datasetName: z.string(),
  state: JobState,
  jobId: Id.nullable(),
  saeId: Id.nullable(),
  backend: Backend.nullable(),
  step: z.int(),
  steps: z.int(),
  tokensPerSecond: z.number().nullable(),
  summary: SaeSummary.nullable(),
  /** Made for this very config before the start, and what the run took once it was done. */
  forecast: Forecast.nullable(),
  actual: Actual.nullable(),
  failure: FailureShape.nullable(),
  /** Whether the run has ended early and left a checkpoint to go on from, and at which step that one was written. */
  canResume: z.boolean(),
  resumeStep: z.int().nullable(),
  createdAt: Time,
  endedAt: Time.nullable(),
})
export type Run = z.infer<typeof Run>

/** A dictionary on disk: a SAELens v6 folder that acts on raw activations. */
export const Sae = z.object({
  id: Id,
  name: Name,
  runId: Id.nullable(),
  modelId: Id,
  modelName: z.string(),
  hookName: z.string(),
  architecture: z.string(),
  dIn: z.int(),
  dSae: z.int(),
  contextSize: z.int(),
  /** Folder inside the workspace, absolute. */
  path: FilePath,
  /** sha256 of sae_weights.safetensors, hex. */
  sha256: z.string(),
  /** True when the run ended early and this is its last checkpoint. */
  partial: z.boolean(),
  summary: SaeSummary.nullable(),
  /** What an evaluation with the whole model found; null until one was made. */
  quality: SaeQuality.nullable(),
  backend: Backend.nullable(),
  seed: z.int().nullable(),
  /** What the atlas rests on; null until one is built. */
  atlas: z
    .object({
      datasetId: Id,
      datasetName: z.string(),
      tokens: z.int(),
      documents: z.int(),
      /** Left out: BOS tokens, and attention sinks. */
      bosTokens: z.int(),
      sinkTokens: z.int(),
      liveFeatures: z.int(),
      builtAt: Time,
    })
    .nullable(),
  createdAt: Time,
})
export type Sae = z.infer<typeof Sae>

// ---------------------------------------------------------------- search

export const Prompt = z.object({ text: z.string().max(20000), sign: z.enum(['positive', 'negative']) })
export type Prompt = z.infer<typeof Prompt>

/** A feature that fires on every positive prompt and on no negative one. */
export const SearchHit = z.object({
  featureIndex: z.int(),
  label: z.string().nullable(),
  tags: z.array(Tag),
  density: z.number(),
  maxActivation: z.number(),
  /** The token it fires strongest on, and the text around it, as in a row of the list. */
  topToken: z.string().nullable(),
  peakSpans: z.array(TokenSpan),
  /** Activation at the last token of each prompt, in the order asked. */
  values: z.array(z.number()),
  /** min over positives of a / max minus max over negatives of a / max. */
  score: z.number(),
})
export type SearchHit = z.infer<typeof SearchHit>
