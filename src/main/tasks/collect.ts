/** The collecting job: runs a model over a dataset once and keeps what it computes at several hook points on disk. */
import { HELD_OUT_RULE, HELD_OUT_TOKENS, heldOutTokensFor } from '../../shared/held-out'
import type { HeldOutRule } from '../../shared/held-out'
import { AppError } from '../../shared/errors'
import { parseHook } from '../../shared/hooks'
import { readIndex } from '../files/activation-shards'
import type { ActivationIndex } from '../files/activation-shards'
import { readDocuments } from '../files/documents'
import type { HookSource } from '../engine/train/activations'
import { ShardCollector } from '../engine/train/collect-shards'
import { collectCorpus, firstTokens, textTokens, windowCount } from '../engine/train/contexts'
import type { Corpus, TextEncoder } from '../engine/train/contexts'
import type { CollectSpec } from '../jobs/messages'
import type { Channel } from './channel'
import { giveWay } from './channel'
import { openHooks } from './source'

const PROGRESS_MS = 100

/** Hooks whose vectors are as wide as the model. */
const WIDE_SITES: readonly string[] = [
  ...['hook_embed', 'hook_resid_pre', 'hook_resid_mid', 'hook_resid_post'],
  ...['hook_attn_out', 'hook_mlp_out'],
]

/** @throws AppError activations-hook */
function requireWide(hookNames: readonly string[], width: number): void {
  const other = hookNames.find((name) => !WIDE_SITES.includes(parseHook(name)?.site ?? ''))
  if (other !== undefined) throw new AppError('activations-hook', { hookName: other, width })
}

/** Exactly the tokens that were asked for, or all there are. @throws AppError dataset-too-small */
async function readText(
  spec: CollectSpec,
  { source, tokenizer }: { source: HookSource; tokenizer: TextEncoder },
  { contextSize, rule }: { contextSize: number; rule: HeldOutRule },
): Promise<Corpus> {
  const { bosId } = source
  const { seed, tokens } = spec
  const options = { contextSize, bosId, seed, rule, neededTokens: tokens, isTextOnly: true }
  const { training: read, heldOut, cutShort } = await collectCorpus(readDocuments(spec.dataset), tokenizer, options)
  const training = firstTokens(read, { tokens, bosId })
  const isShort = textTokens(training, { bosId }) < tokens
  const judged = isShort ? HELD_OUT_TOKENS : Math.ceil(heldOutTokensFor(tokens))
  const corpus = { training, heldOut: firstTokens(heldOut, { tokens: judged, bosId }), cutShort }
  if (windowCount(training) > 0 && windowCount(corpus.heldOut) > 0) return corpus
  const all = textTokens(training, { bosId }) + textTokens(heldOut, { bosId })
  throw new AppError('dataset-too-small', { tokens: all, needed: tokens })
}

/** The index of an earlier try. @throws AppError activations-changed when it is of something else */
async function findEarlier(spec: CollectSpec, source: HookSource): Promise<ActivationIndex | null> {
  const found = await readIndex(spec.folder)
  if (!found) return null
  const isSame =
    found.model.sha256 === spec.model.sha256 &&
    found.dataset.sha256 === spec.dataset.sha256 &&
    found.dIn === source.dIn &&
    found.bosId === source.bosId &&
    found.hooks.map(({ hookName }) => hookName).join() === source.hookNames.join()
  if (!isSame) throw new AppError('activations-changed', { path: spec.folder })
  return { ...found, isComplete: false }
}

/** Sends progress and lets messages in ten times a second, and says whether to go on. */
function progressOf(channel: Channel, total: () => number): (tokens: number) => Promise<boolean> {
  const startedAt = performance.now()
  let sentAt = startedAt
  return async (tokens) => {
    const now = performance.now()
    if (now - sentAt < PROGRESS_MS) return true
    sentAt = now
    const tokensPerSecond = tokens / ((now - startedAt) / 1000)
    channel.send({ type: 'progress', done: tokens, total: total(), tokensPerSecond })
    await giveWay()
    return !channel.isCancelled()
  }
}

/** What a finished set takes and holds. */
function sizesOf({ hooks }: ActivationIndex): { tokens: number; bytes: number } {
  const shards = hooks.flatMap(({ training, heldOut }) => [...training, ...heldOut]).filter((shard) => shard !== null)
  const rows = shards.reduce((sum, shard) => sum + shard.rows, 0)
  return { tokens: Math.round(rows / hooks.length), bytes: shards.reduce((sum, shard) => sum + shard.bytes, 0) }
}

/**
 * Collects a set, or the rest of one whose job was cut off.
 * @returns false when it was cancelled; finished shards stay
 * @throws AppError of model, dataset or disk; activations-hook, activations-invalid, activations-constant, activations-overflow,
 * activations-changed
 */
export async function runCollect(spec: CollectSpec, channel: Channel): Promise<boolean> {
  channel.send({ type: 'progress', done: 0, total: spec.tokens, tokensPerSecond: null })
  const { source, tokenizer, config } = await openHooks(spec.model, spec.hookNames, channel)
  try {
    requireWide(spec.hookNames, config.dModel)
    const contextSize = Math.min(spec.contextSize, config.contextSize)
    const found = await findEarlier(spec, source)
    const rule = found ? (found.heldOutRule ?? 1) : HELD_OUT_RULE
    const corpus = await readText(spec, { source, tokenizer }, { contextSize, rule })
    await giveWay()
    const { model, dataset, seed, tokens, folder } = spec
    const facts = {
      model: { name: model.name, sha256: model.sha256 },
      dataset: { name: dataset.name, sha256: dataset.sha256 },
      ...{ contextSize, seed, heldOutRule: rule, tokens },
    }
    const onProgress = progressOf(channel, () => collector.totalTokens)
    const size = spec.shardBytes === undefined ? {} : { shardBytes: spec.shardBytes }
    const collector = new ShardCollector({ source, corpus, folder, facts, found, onProgress, ...size })
    const index = await collector.run()
    if (!index) return false
    const total = collector.totalTokens
    channel.send({ type: 'progress', done: total, total, tokensPerSecond: null })
    channel.send({ type: 'collected', set: sizesOf(index) })
    return true
  } finally {
    source.dispose()
  }
}
