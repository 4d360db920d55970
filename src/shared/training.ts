/** What decides a training, what is measured while it goes on, and what its result is judged by. */
import { z } from 'zod'

export const Id = z.int().positive()

/** As SAELens registers them. */
export const ArchitectureName = z.enum(['standard', 'topk', 'batchtopk', 'jumprelu', 'gated', 'matryoshka_batchtopk'])
export type ArchitectureName = z.infer<typeof ArchitectureName>

/**
 * Everything that decides a training run. Same config, same machine, same bits. Settings of other architectures than the chosen one
 * are ignored. Inputs are scaled so that mean ||x||^2 = dIn; lambda, thresholds and bandwidth are in those units.
 */
export const TrainConfig = z.object({
  modelId: Id,
  datasetId: Id,
  /** A set of activations on disk to train on; null runs the model while training. */
  activationsId: Id.nullable().default(null),
  hookName: z.string().min(1).max(100),
  architecture: ArchitectureName.default('standard'),
  dSae: z.int().min(8).max(131072),
  /** standard, gated: lambda, the weight of the L1 term. */
  l1Coefficient: z.number().min(0).max(1000),
  /** jumprelu: lambda, the weight of the L0 term or, with `targetL0`, of (L0 / target - 1)^2. */
  l0Coefficient: z.number().min(0).max(1000).default(1),
  /** jumprelu: the L0 to hold; null for a plain penalty. */
  targetL0: z.number().positive().max(131072).nullable().default(null),
  /** jumprelu: width of the rectangle kernel of the straight-through gradient. */
  bandwidth: z.number().positive().max(1000).default(0.1),
  /** jumprelu: threshold of every feature at the start. */
  initialThreshold: z.number().positive().max(1000).default(0.1),
  /** jumprelu: whether the trained number is the threshold or its logarithm. */
  thresholdForm: z.enum(['direct', 'log']).default('direct'),
  /** topk, batchtopk, matryoshka_batchtopk: active features per token; for the latter two the mean over a batch. */
  k: z.int().min(1).max(131072).default(32),
  /** topk, batchtopk, matryoshka_batchtopk: weight of the reconstruction of the error by dead features; 0 leaves it out. */
  auxCoefficient: z
    .number()
    .min(0)
    .max(1000)
    .default(1 / 32),
  /** Dead features per token in that reconstruction; null for half the width of the input. */
  auxK: z.int().min(1).max(131072).nullable().default(null),
  /** matryoshka_batchtopk: sizes of the nested dictionaries, growing, the last one dSae; empty for 1/16, 1/4 and all. */
  matryoshkaWidths: z.array(z.int().min(1).max(131072)).max(8).default([]),
  /** standard, jumprelu, gated: give dead features a new direction, drawn from inputs that are reconstructed badly. */
  resampleDead: z.boolean().default(false),
  /** A feature silent for so many tokens is dead; null for 1e7 or a fifth of a shorter run. */
  deadTokens: z.int().min(16).max(1e12).nullable().default(null),
  /** Norm of the decoder's rows at the start; topk and its relatives keep it at 1. */
  decoderInitNorm: z.number().positive().max(10).default(0.1),
  /** b_dec at the start: zero, or the mean or geometric median of the first inputs; null lets the architecture choose. */
  bDecInit: z.enum(['zero', 'mean', 'geometric_median']).nullable().default(null),
  learningRate: z.number().positive().max(1),
  /** Tokens per step. */
  batchTokens: z.int().min(16).max(65536),
  trainingTokens: z.int().min(16).max(1e12),
  /** Tokens per context window, BOS included. */
  contextSize: z.int().min(8).max(4096),
  /** Tokens in the shuffle buffer. */
  bufferTokens: z.int().min(64).max(1e8),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1),
})
export type TrainConfig = z.infer<typeof TrainConfig>

/** Who computed the gradients: `dense` tfjs operations on [batch, dSae], `sparse` kernels on the active features only. */
export const RouteName = z.enum(['dense', 'sparse'])
export type RouteName = z.infer<typeof RouteName>

/** One point of the training curves. Train values are of one batch, held-out ones come every evaluation. */
export const MetricPoint = z.object({
  step: z.int(),
  tokens: z.int(),
  /** The whole loss of the architecture, normalised units (docs/training.md). */
  loss: z.number(),
  mse: z.number(),
  /** mean_b sum_i f_i ||W_dec[i]||. */
  l1: z.number(),
  /** Auxiliary term of the loss before its weight: AuxK, or the gate's reconstruction; null where there is none. */
  aux: z.number().nullable(),
  /** Mean number of active features per token. */
  l0: z.number(),
  /** 1 - sum ||x - xhat||^2 / sum ||x - mean(x)||^2 on the held-out documents; null between evaluations. */
  explainedVariance: z.number().nullable(),
  heldOutL0: z.number().nullable(),
  /** Share of features silent over the last `deadWindowTokens`. */
  deadFraction: z.number(),
  learningRate: z.number(),
  /** Norm of the gradient before clipping at 1. */
  /** Null after the last step, which no update follows. */
  gradientNorm: z.number().nullable(),
  route: RouteName,
})
export type MetricPoint = z.infer<typeof MetricPoint>

/** Held-out figures of a finished autoencoder, with what they rest on. */
export const SaeSummary = z.object({
  explainedVariance: z.number(),
  l0: z.number(),
  /** In the trainer's normalised units. */
  mse: z.number(),
  deadFraction: z.number(),
  /** Tokens the dead fraction looked at. */
  deadWindowTokens: z.int(),
  heldOutTokens: z.int(),
  trainedTokens: z.int(),
  /** x = s * x_raw had mean ||x||^2 = dIn while training; folded into the stored weights. */
  scale: z.number(),
  /** Tokens dropped as BOS, padding or attention sinks while estimating s. */
  droppedTokens: z.int(),
})
export type SaeSummary = z.infer<typeof SaeSummary>

/**
 * An autoencoder judged on held-out text with the whole model; formulas in docs/metrics.md. Raw units; `spliced` runs put xhat in the
 * place of x at the hook (tokens left out as BOS or sinks keep x).
 */
export const SaeQuality = z.object({
  tokens: z.int(),
  /** 1 - sum ||x - xhat||^2 / sum ||x - mean(x)||^2, the mean over the evaluated tokens. */
  explainedVariance: z.number(),
  /** sum ||x - xhat||^2 / sum ||x||^2. */
  normalisedMse: z.number(),
  l0: z.number(),
  /** mean_t sum_i f_i ||W_dec[i]||. */
  l1: z.number(),
  /** Share of features that never fired on the evaluated tokens. */
  silentFraction: z.number(),
  /** sum ||xhat||^2 / sum x . xhat, both centred on b_dec; below 1 when activations are shrunk. */
  shrinkage: z.number(),
  /** sum ||xhat||^2 / sum x . xhat, equation 10 of arXiv 2404.16014; null in evaluations of older versions. */
  relativeBias: z.number().nullable().default(null),
  /** mean_t x . xhat / (||x|| ||xhat||). */
  cosine: z.number(),
  /** mean_t ||xhat|| / ||x||. */
  l2Ratio: z.number(),
  /** Mean cross-entropy of next tokens in nats: as the model is, with xhat, with zeros, with mean(x). */
  ceClean: z.number(),
  ceSpliced: z.number(),
  ceZero: z.number(),
  ceMean: z.number(),
  /** (zero - spliced) / (zero - clean); null when zeros do no harm. */
  ceRecovered: z.number().nullable(),
  /** (mean - spliced) / (mean - clean); null when the mean does no harm. */
  ceRecoveredMean: z.number().nullable(),
  /** mean_t KL(clean || spliced), nats. */
  kl: z.number(),
  /** 1 - KL(clean || spliced) / KL(clean || zero); null when zeros do no harm. */
  klScore: z.number().nullable(),
  /** Features per decade of log10 of their firing share: edges -7, -6.5, ..., 0; silent ones are not counted. */
  densityHistogram: z.array(z.int()).length(14),
  datasetName: z.string(),
  /** Whether the text is known to be kept from the training; null in evaluations of older versions, which did not look. */
  isHeldOut: z.boolean().nullable().default(null),
  evaluatedAt: z.string(),
})
export type SaeQuality = z.infer<typeof SaeQuality>

/** What a run will take, from speeds measured on this machine for about two seconds; formulas in engine/measure/forecast.ts. */
export const Forecast = z.object({
  /** From the start of the job to its end. */
  seconds: z.number().min(0),
  /** The most memory of the job's process at any time. */
  memoryBytes: z.number().min(0),
  /** What the run's folder holds at the end. */
  diskBytes: z.number().min(0),
  /** Tokens that the model is run over, and how fast; null when activations are read from disk. */
  collectedTokens: z.number().min(0),
  collectTokensPerSecond: z.number().positive().nullable(),
  /** One step by the route that makes most of them. */
  stepMs: z.number().positive(),
  route: RouteName,
  /** One step before the kernels take over; null where they do from the first. */
  denseStepMs: z.number().positive().nullable(),
  /** Seconds of `seconds` that go into each part. */
  parts: z.object({ start: z.number(), collect: z.number(), steps: z.number(), judge: z.number() }),
  freeMemoryBytes: z.number().min(0),
  freeDiskBytes: z.number().min(0),
  /** Load of the machine per core, of others, when the speeds were measured; null where the system does not tell. */
  load: z.number().min(0).nullable().default(null),
})
export type Forecast = z.infer<typeof Forecast>

/** Beyond this load per core, the speeds that were measured are rather those of a busy machine. */
const BUSY_LOAD = 0.5
export const isBusy = ({ load }: Pick<Forecast, 'load'>): boolean => load !== null && load > BUSY_LOAD

/** What a finished run took. */
export const Actual = z.object({
  /** Of all its training jobs together, from start to end. */
  seconds: z.number().min(0),
  /** Of the last of them. */
  peakMemoryBytes: z.number().min(0),
  diskBytes: z.number().min(0),
})
export type Actual = z.infer<typeof Actual>
