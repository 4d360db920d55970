/** A small workspace in memory for renderer tests: features with known numbers, behind the real wire and its validation. */
import { judged } from './fake-labels'
import type { z } from 'zod'
import { contract } from '../../../src/shared/contract'
import { features as featureCalls } from '../../../src/shared/contract/features'
import { safety as safetyCalls } from '../../../src/shared/contract/safety'
import {
  NamedFeature,
  SafetyCategory,
  type Context,
  type FeatureDetail,
  type FeatureRow,
  type Label,
  type SafetyFlag,
  type Sae,
  type Tag,
  type TokenSpan,
} from '../../../src/shared/domain'
import { AppError } from '../../../src/shared/errors'
import { FakeNotes } from './fake-notes'
import { FakeMeasured } from './fake-measured'
import { tagHandlers } from './fake-tags'
import { memoryWire, serve, type HandlersOf, type Wire } from '../../../src/shared/wire'

type ListInput = z.output<(typeof featureCalls)['features.list']['input']>

export const WORDS = [
  'The',
  ' cat',
  ' sat',
  ' on',
  ' the',
  ' mat',
  '.',
  '\n',
  'She',
  ' said',
  ' 안녕',
  '하세요',
  '!',
  '  if',
  ' x',
]

/** Spans of a sentence whose `peak` fires with `max`, its neighbours weaker. */
export const spansOf = (max: number, peak: number, count = 15): TokenSpan[] =>
  Array.from({ length: count }, (_, k) => ({
    text: WORDS[k % WORDS.length]!,
    ids: [k],
    value: k === peak ? max : k === peak - 1 ? max * 0.5 : k === peak + 1 ? max * 0.2 : 0,
    special: false,
  }))

export function makeSae(id: number, dSae: number, hasAtlas = true): Sae {
  return {
    id,
    name: `sae-${id}`,
    runId: null,
    modelId: 1,
    modelName: 'stories260K',
    hookName: 'blocks.2.hook_resid_post',
    architecture: 'standard',
    dIn: 64,
    dSae,
    contextSize: 128,
    path: '/saes/1',
    sha256: '3f9c1e00'.repeat(8),
    partial: false,
    summary: null,
    quality: null,
    backend: { name: 'wasm', device: 'CPU, WebAssembly', reason: '' },
    seed: 0,
    atlas: hasAtlas
      ? {
          datasetId: 1,
          datasetName: 'stories',
          tokens: 250_000,
          documents: 1200,
          bosTokens: 1200,
          sinkTokens: 3,
          liveFeatures: dSae - 1,
          builtAt: '2026-11-22T00:00:00Z',
        }
      : null,
    createdAt: '2026-11-22T00:00:00Z',
  }
}

/** Feature 0 is silent; feature i has maximum i and fires on i * 10 tokens of 250,000. */
export class FakeWorkspace {
  readonly calls: string[] = []
  saes: Sae[]
  labels = new Map<number, Label[]>()
  tags: Tag[] = []
  taggings = new Map<number, Set<number>>()
  flags: SafetyFlag[] = []
  readonly kept = new FakeNotes()
  readonly measured = new FakeMeasured()
  /** Calls of these names fail with the code. */
  failing = new Map<string, AppError>()
  private nextId = 1

  constructor(readonly dSae = 1000) {
    this.saes = [makeSae(1, dSae)]
  }

  row(featureIndex: number): FeatureRow {
    const max = (featureIndex % 400) / 10
    const peak = featureIndex % 12
    return {
      saeId: 1,
      featureIndex,
      label: this.labels.get(featureIndex)?.find((label) => label.chosen)?.text ?? null,
      tags: this.tags.filter((tag) => this.taggings.get(featureIndex)?.has(tag.id)),
      density: (featureIndex * 10) / 250_000,
      firedTokens: featureIndex * 10,
      score: this.labels.get(featureIndex)?.find((label) => label.chosen)?.score ?? null,
      maxActivation: max,
      meanActivation: max / 3,
      histogram: Float32Array.from({ length: 20 }, (_, k) => (featureIndex ? 100 / (k + 1) : 0)),
      peakSpans: max > 0 ? spansOf(max, peak) : [],
      topToken: max > 0 ? WORDS[peak]! : null,
    }
  }

  private context(featureIndex: number, k: number): Context {
    const value = this.row(featureIndex).maxActivation * (1 - k / 40)
    return { documentIndex: 7 + 3 * k, position: 40, start: 20, value, peak: 20, spans: spansOf(value, 20, 60) }
  }

  /** Five intervals with two contexts each. */
  private intervals(featureIndex: number): FeatureDetail['intervals'] {
    const { maxActivation: max, firedTokens } = this.row(featureIndex)
    if (max === 0) return []
    return [4, 3, 2, 1, 0].map((interval) => ({
      ...{ from: (interval * max) / 5, to: ((interval + 1) * max) / 5, firedTokens: firedTokens / 5 },
      contexts: [this.context(featureIndex, 35 - 8 * interval), this.context(featureIndex, 36 - 8 * interval)],
    }))
  }

  private related(featureIndex: number) {
    return Array.from({ length: 20 }, (_, k) => {
      const { featureIndex: index, label, density, topToken } = this.row((featureIndex + k + 1) % this.dSae)
      return { featureIndex: index, label, density, topToken }
    })
  }

  private weights(featureIndex: number): FeatureDetail['weights'] {
    const token = (id: number, weight: number) => ({ id, text: WORDS[id % WORDS.length]!, weight })
    return {
      ...{ decoderNorm: 1, encoderCosine: 0.62 },
      neighbours: this.related(featureIndex).map((one, k) => ({ ...one, cosine: 0.8 - k / 25 })),
      logits: {
        top: Array.from({ length: 10 }, (_, k) => token(k, 1.5 - k / 10)),
        bottom: Array.from({ length: 10 }, (_, k) => token(k + 1, -0.9 + k / 20)),
        histogram: Float32Array.from({ length: 50 }, (_, k) => Math.round(400 * Math.exp(-((k - 18) ** 2) / 40))),
        ...{ min: -0.9, max: 1.5 },
      },
    }
  }

  detail(featureIndex: number): FeatureDetail {
    if (featureIndex >= this.dSae) throw new AppError('not-found', { what: 'feature', id: featureIndex })
    const row = this.row(featureIndex)
    return {
      ...row,
      fineHistogram: Float32Array.from({ length: 50 }, (_, k) => Math.round(2000 * Math.exp(-k / 10))),
      contexts: row.maxActivation > 0 ? Array.from({ length: 20 }, (_, k) => this.context(featureIndex, k)) : [],
      intervals: this.intervals(featureIndex),
      together: {
        sampledTokens: row.maxActivation > 0 ? 64 : 0,
        features:
          row.maxActivation > 0 ? this.related(featureIndex).map((one, k) => ({ ...one, share: 1 - k / 20 })) : [],
      },
      labels: this.labels.get(featureIndex) ?? [],
      notes: this.kept.notes.get(featureIndex) ?? [],
      lists: this.kept.lists.filter(({ indexes }) => indexes.has(featureIndex)).map(({ id, name }) => ({ id, name })),
      safety: this.flags.filter((flag) => flag.featureIndex === featureIndex),
      weights: this.weights(featureIndex),
    }
  }

  list({ filter, sort, descending, offset, limit }: ListInput) {
    const all = Array.from({ length: this.dSae }, (_, index) => index)
    const matching = all.filter((index) => {
      if (filter.state !== 'any' && (index === 0) !== (filter.state === 'silent')) return false
      if (filter.tagIds.some((id) => !this.taggings.get(index)?.has(id))) return false
      return filter.text === '' || (this.row(index).label ?? '').includes(filter.text)
    })
    if (sort === 'max') matching.sort((a, b) => (a % 400) - (b % 400) || a - b)
    if (descending) matching.reverse()
    return {
      rows: matching.slice(offset, offset + limit).map((index) => this.row(index)),
      matching: matching.length,
      isMore: false,
      total: this.dSae,
      alive: this.dSae - 1,
    }
  }

  /** Serves the calls of features, search and safety; anything else answers `unknown-call`. */
  connect(): Wire {
    const { a, b } = memoryWire()
    const guarded = Object.entries(this.handlers()).map(([name, handler]) => [
      name,
      (input: never, signal: AbortSignal) => {
        this.calls.push(name)
        const failure = this.failing.get(name)
        return failure ? Promise.reject(failure) : handler(input, signal)
      },
    ])
    serve(b, contract, Object.fromEntries(guarded) as HandlersOf<typeof contract>, { checkOutputs: true })
    return a
  }

  /** How much of a text is explained. */
  fit: { explainedVariance: number | null; heldOut: number | null } = { explainedVariance: 0.93, heldOut: 0.94 }

  private handlers() {
    return {
      ...this.featureHandlers(),
      ...this.safetyHandlers(),
      ...this.kept.handlers(),
      ...this.measured.handlers(),
      'text.feature': ({ text }: { text: string }) =>
        Promise.resolve({
          spans: spansOf(12, 1, Math.min(4, text.length)),
          tokens: text.length,
          sinkTokens: 0,
          seconds: 0.01,
          readySeconds: 0,
        }),
      'text.features': () =>
        Promise.resolve({
          ...{ spans: spansOf(0, 0, 2), starts: Int32Array.of(0, 0, 0), active: new Int32Array() },
          ...{ values: new Float32Array(), features: [], fit: this.fit },
          ...{ tokens: 40, sinkTokens: 0, seconds: 0.2, readySeconds: 7.1 },
        }),
      'saes.list': () => Promise.resolve(this.saes),
      'search.prompts': (input: { prompts: { text: string; sign: string }[] }) =>
        Promise.resolve({
          hits: [30, 20].map((featureIndex) => ({
            ...this.row(featureIndex),
            values: input.prompts.map((p) => (p.sign === 'positive' ? this.row(featureIndex).maxActivation / 2 : 0)),
            score: featureIndex / 60,
          })),
          matching: 2,
          prompts: input.prompts.map(() => spansOf(0, 0, 4)),
          seconds: 0.12,
          readySeconds: 0,
        }),
    }
  }

  private featureHandlers(): HandlersOf<typeof featureCalls> {
    return {
      'features.list': (input) => Promise.resolve(this.list(input)),
      'features.count': (input) =>
        Promise.resolve(this.list({ ...input, sort: 'index', descending: false, offset: 0, limit: 1 }).matching),
      'features.passage': ({ length }) => Promise.resolve({ spans: spansOf(0, 0, length) }),
      'features.get': ({ featureIndex }) =>
        new Promise((resolve) => {
          resolve(this.detail(featureIndex))
        }),
      'features.label': ({ featureIndex, text, author }) => {
        const old = (this.labels.get(featureIndex) ?? []).map((label) => ({ ...label, chosen: false }))
        const added = { id: this.nextId++, text, author, createdAt: '2026-11-22T10:00:00Z', chosen: true, score: null }
        this.labels.set(featureIndex, text ? [added, ...old] : old)
        return Promise.resolve(this.labels.get(featureIndex)!)
      },
      'features.score': (input) => judged(this.labels, input),
      'features.tag': ({ featureIndexes, name }) => {
        const known = this.tags.find((other) => other.name === name)
        const tag = known ?? { id: this.nextId++, name, color: 1 + (this.tags.length % 8) }
        if (!this.tags.includes(tag)) this.tags.push(tag)
        const added = featureIndexes.filter((index) => !this.taggings.get(index)?.has(tag.id))
        for (const index of featureIndexes)
          this.taggings.set(index, (this.taggings.get(index) ?? new Set()).add(tag.id))
        return Promise.resolve({ ...tag, added })
      },
      'features.untag': ({ featureIndexes, tagId }) => {
        for (const index of featureIndexes) this.taggings.get(index)?.delete(tagId)
        return Promise.resolve(null)
      },
      'features.named': ({ featureIndexes }) =>
        Promise.resolve(
          featureIndexes.filter((index) => index < this.dSae).map((index) => NamedFeature.parse(this.row(index))),
        ),
      ...tagHandlers(this),
    }
  }

  private safetyHandlers(): HandlersOf<typeof safetyCalls> {
    return {
      'safety.counts': () =>
        Promise.resolve(
          SafetyCategory.options.map((category) => ({
            category,
            count: this.flags.filter((flag) => flag.category === category).length,
          })),
        ),
      'safety.list': ({ category }) =>
        Promise.resolve(
          this.flags
            .filter((flag) => flag.category === category)
            .map((flag) => ({ flag, feature: this.row(flag.featureIndex) })),
        ),
      'safety.assign': ({ saeId, featureIndex, category, reason }) => {
        const flag = { id: this.nextId++, saeId, featureIndex, category, reason, createdAt: '2026-11-22T10:00:00Z' }
        this.flags.push(flag)
        return Promise.resolve(flag)
      },
      'safety.remove': ({ flagId }) => {
        this.flags = this.flags.filter((flag) => flag.id !== flagId)
        return Promise.resolve(null)
      },
    }
  }
}
