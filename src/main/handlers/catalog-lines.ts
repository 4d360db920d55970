/** The text of a catalog, feature by feature: JSONL for programs, CSV for spreadsheets. */
import type { Context, FeatureDetail, FeatureWeights, LogitToken, Model, Sae } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import { withoutControls } from '../../shared/plain-text'
import { referenceOf } from '../../shared/reference'
import type { AtlasText } from '../../shared/token-spans'
import type { Store } from '../store/store'

export type CatalogSource = {
  store: Store
  sae: Sae
  model: Model
  indexes: readonly number[]
  version: string
  text: AtlasText
  signal: AbortSignal
}

const FORMULAS = {
  activation:
    'f_i(x) in raw units of the residual stream, along a decoder row of norm 1; scale s is folded into the weights',
  density: 'firedTokens / tokens of the atlas; BOS and attention-sink tokens are not counted',
  mean: 'mean over the tokens on which the feature is above zero',
  histogram: 'counts of non-zero activations in equal bins from 0 to max',
  contexts:
    'strongest tokens from distinct documents, strongest first; values are per span of text, the largest of its tokens',
  intervals:
    'equal parts of the way from 0 to the power of two above max, each an eighth of it; contexts drawn at random from the tokens in each',
  together:
    'share of a random sample of its tokens on which the other feature is among the 48 most active; the largest excess over its density first',
  neighbours: 'cosine between decoder rows, the largest first',
  logits:
    'W_U (g * W_dec[i]), g the factors of the final norm; without its division, later blocks, biases and caps on logits',
  explainedVariance: '1 - sum ||x - xhat||^2 / sum ||x - mean(x)||^2 on held-out documents',
} as const

const CSV_CONTEXTS = 5

function* details({ store, sae, indexes, text, signal }: CatalogSource): Generator<FeatureDetail> {
  for (const featureIndex of indexes) {
    if (signal.aborted) throw new AppError('cancelled')
    yield store.features.get(sae.id, featureIndex, text)
  }
}

/** The text that a run of this workspace held documents out of; null where the run is not here. */
function trainedOn(store: CatalogSource['store'], { runId }: Sae): { name: string; sha256: string } | null {
  if (runId === null) return null
  const { name, sha256 } = store.datasets.get(store.runs.get(runId).config.datasetId)
  return { name, sha256 }
}

function provenance({ store, sae, model, version, indexes }: CatalogSource) {
  const { id, name, sha256, hookName, architecture, dIn, dSae, contextSize, partial, seed, backend, summary, atlas } =
    sae
  return {
    format: 'monoscope-catalog-2',
    program: `Monoscope ${version}`,
    createdAt: new Date().toISOString(),
    features: indexes.length,
    model: { name: model.name, family: model.family, sha256: model.sha256 },
    sae: { id, name, sha256, hookName, architecture, dIn, dSae, contextSize, partial },
    scale: summary?.scale ?? null,
    seed,
    backend,
    heldOut: summary && { ...summary, dataset: trainedOn(store, sae) },
    evaluation: sae.quality,
    atlas,
    formulas: FORMULAS,
  }
}

function weightsOf({ decoderNorm, encoderCosine, neighbours, logits }: FeatureWeights) {
  const tokens = (some: LogitToken[]) => some.map(({ id, text, weight }) => ({ id, token: text, weight }))
  return {
    ...{ decoderNorm, encoderCosine },
    neighbours: neighbours.map(({ featureIndex, cosine }) => ({ index: featureIndex, cosine })),
    logits: logits && {
      top: tokens(logits.top),
      bottom: tokens(logits.bottom),
      histogram: [...logits.histogram],
      ...{ min: logits.min, max: logits.max },
    },
  }
}

const contextLine = ({ documentIndex, position, value, spans, peak }: Context) => ({
  ...{ documentIndex, position, value, peak },
  text: spans.map((span) => span.text).join(''),
  tokens: spans.map((span) => span.text),
  ids: spans.map((span) => span.ids),
  values: spans.map((span) => span.value),
})

/** One JSON object per line: where the figures come from, then one feature each. */
export function* jsonLines(source: CatalogSource): Generator<string> {
  yield `${JSON.stringify(provenance(source))}\n`
  for (const feature of details(source)) {
    const intervals = feature.intervals.map(({ contexts, ...interval }) => ({
      ...interval,
      contexts: contexts.map(contextLine),
    }))
    const line = {
      sae: source.sae.sha256,
      index: feature.featureIndex,
      label: feature.label,
      labels: feature.labels.map(({ text, author, createdAt, chosen, score }) => ({
        text,
        author,
        createdAt,
        chosen,
        score,
      })),
      tags: feature.tags.map((tag) => tag.name),
      safety: feature.safety.map(({ category, reason, createdAt }) => ({ category, reason, createdAt })),
      density: feature.density,
      firedTokens: feature.firedTokens,
      max: feature.maxActivation,
      mean: feature.meanActivation,
      histogram: [...feature.fineHistogram],
      contexts: feature.contexts.map(contextLine),
      intervals,
      together: {
        sampledTokens: feature.together.sampledTokens,
        features: feature.together.features.map(({ featureIndex, share }) => ({ index: featureIndex, share })),
      },
      weights: weightsOf(feature.weights),
    }
    yield `${JSON.stringify(line)}\n`
  }
}

/**
 * A text cell without control characters, some programs end a file at the first NUL, that a spreadsheet shows as text: before the sign of a formula (OWASP, CSV injection), and before an apostrophe itself, stands an
 * apostrophe, so that taking one away from the beginning of every text cell gives the text back (docs/catalogs.md).
 */
function textCell(text: string): string {
  const plain = withoutControls(text)
  const safe = /^[=+\-@\t\r']/.test(plain) ? `'${plain}` : plain
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

const CSV_HEADER = [
  ...['reference', 'sae', 'index', 'label', 'tags', 'safety', 'density', 'fired_tokens', 'max', 'mean', 'top_token'],
  ...Array.from({ length: CSV_CONTEXTS }, (_, i) =>
    ['', '_value', '_at'].map((what) => `context_${i + 1}${what}`),
  ).flat(),
]

/** Without it spreadsheets take UTF-8 for the system's own 8-bit letters. */
const UTF8_MARK = '\uFEFF'

/** A context with the token it is about in «», its activation, and where it stands: document and token, both from 0. */
function contextCells(context: Context | undefined): (string | number)[] {
  if (!context) return ['', '', '']
  const { spans, peak, value, documentIndex, position } = context
  const text = spans.map((span, at) => (at === peak ? `«${span.text}»` : span.text)).join('')
  return [textCell(text), value, `${documentIndex}:${position}`]
}

/** RFC 4180 behind the mark of UTF-8: a header line, then one line per feature. */
export function* csvLines(source: CatalogSource): Generator<string> {
  yield `${UTF8_MARK}${CSV_HEADER.join(',')}\r\n`
  for (const feature of details(source)) {
    const cells = [
      textCell(referenceOf(source.sae, feature.featureIndex)),
      textCell(source.sae.sha256),
      feature.featureIndex,
      textCell(feature.label ?? ''),
      textCell(feature.tags.map((tag) => tag.name).join('; ')),
      textCell(feature.safety.map(({ category, reason }) => `${category}: ${reason}`).join('; ')),
      ...[feature.density, feature.firedTokens, feature.maxActivation, feature.meanActivation],
      textCell(feature.topToken ?? ''),
      ...Array.from({ length: CSV_CONTEXTS }, (_, i) => contextCells(feature.contexts[i])).flat(),
    ]
    yield `${cells.join(',')}\r\n`
  }
}
