/**
 * Judges the demo's model on held-out documents, per domain and language, in bits per byte, beside what it must beat:
 *   node scripts/demo/run.mjs evaluate-model --corpus DIR --state DIR --model DIR [--tokens 40000] [--out FILE]
 * The model sees windows as in the app: the special token, then up to 255 tokens of one document. Counts are those of all training
 * text; gzip sees the same windows one by one, and then all of a group's text as one.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { crossEntropy, loadModel, loadTokenizer } from '../../src/main/engine/lm'
import type { LanguageModel, Tokenizer } from '../../src/main/engine/lm'
import { openBackend, tf } from '../../src/main/engine/tf'
import { toText } from '../../src/shared/token-spans'
import { Counts, gzipBits, PRIORS } from './baselines'
import { MODEL } from './model-folder'
import { idsOf, readLines, SPECIAL_ID } from './texts'

const WINDOW_TOKENS = MODEL.context - 1

/** Windows of a domain in one language, each of at most 255 tokens of one document. */
type Group = { domain: string; language: string; documents: number; tokens: number; text: string; windows: number[][] }

/** Bits per byte. */
type Figures = Record<'model' | 'unigram' | 'bigram' | 'gzipWindows' | 'gzipText', number>

async function groupsOf(path: string, tokenizer: Tokenizer, mostTokens: number): Promise<Group[]> {
  const groups = new Map<string, Group>()
  for await (const { text, domain, language } of readLines(path)) {
    const key = `${domain} ${language}`
    const group = groups.get(key) ?? { domain, language, documents: 0, tokens: 0, text: '', windows: [] }
    groups.set(key, group)
    if (group.tokens >= mostTokens) continue
    const ids = await tokenizer.encode(text)
    for (let at = 0; at < ids.length; at += WINDOW_TOKENS) group.windows.push(ids.slice(at, at + WINDOW_TOKENS))
    group.documents += 1
    group.tokens += ids.length
    group.text += text
  }
  return [...groups.values()].sort((a, b) => (a.domain + a.language < b.domain + b.language ? -1 : 1))
}

/** Bits of all tokens of a window, the first of which follows the special one. */
function modelBits(model: LanguageModel, window: readonly number[]): number {
  return tf.tidy(() => {
    const ids = tf.tensor2d([SPECIAL_ID, ...window], [1, window.length + 1], 'int32')
    const { logits } = model.forward(ids)
    if (!logits) throw new Error('the pass gave no logits')
    const nats = crossEntropy(logits, ids).dataSync<'float32'>()
    return nats.reduce((sum, value) => sum + value, 0) / Math.LN2
  })
}

function figuresOf(
  group: Group,
  model: LanguageModel,
  { counts, tokenizer }: { counts: Counts; tokenizer: Tokenizer },
): Figures {
  const bytes = Buffer.byteLength(group.text)
  const sum = (bitsOf: (window: number[]) => number) =>
    group.windows.reduce((total, window) => total + bitsOf(window), 0) / bytes
  const bigram = (prior: number) =>
    sum((window) =>
      window.reduce((total, id, at) => total + counts.bigramBits(window[at - 1] ?? SPECIAL_ID, id, prior), 0),
    )
  return {
    model: sum((window) => modelBits(model, window)),
    unigram: sum((window) => window.reduce((total, id) => total + counts.unigramBits(id), 0)),
    bigram: Math.min(...PRIORS.map(bigram)),
    gzipWindows: sum((window) => gzipBits(toText(window, tokenizer.pieces))),
    gzipText: gzipBits(group.text) / bytes,
  }
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const
  const options = { corpus: text, state: text, model: text, out: text, tokens: { ...text, default: '40000' } }
  const { values } = parseArgs({ options })
  const { corpus, state, model: folder, out } = values
  if (corpus === undefined || state === undefined || folder === undefined) {
    throw new Error('--corpus, --state and --model are needed')
  }
  const { device } = await openBackend()
  const model = await loadModel(folder)
  const tokenizer = await loadTokenizer(folder)
  const training = await idsOf(join(corpus, 'training.jsonl'), tokenizer, join(state, 'training.ids'))
  const counts = new Counts(training, tokenizer.vocabulary)
  const groups = await groupsOf(join(corpus, 'held-out.jsonl'), tokenizer, Number(values.tokens))
  const rows = groups.map((group) => {
    const { domain, language, documents, tokens } = group
    const figures = figuresOf(group, model, { counts, tokenizer })
    const row = { domain, language, documents, tokens, bytes: Buffer.byteLength(group.text), ...figures }
    process.stdout.write(`${JSON.stringify(row)}\n`)
    return row
  })
  if (out !== undefined)
    writeFileSync(out, `${JSON.stringify({ device, parameters: model.config.parameters, rows }, null, 1)}\n`)
  process.exit(0)
}

void main()
