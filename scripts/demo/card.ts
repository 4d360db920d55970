/**
 * Writes the demo's model card from what was measured:
 *   node scripts/demo/run.mjs card --corpus DIR --state DIR --demo resources/demo
 * STATE holds log.jsonl of the training and evaluation.json of evaluate-model; samples are written by the model as it ships.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { continueAll, loadModel, loadTokenizer } from '../../src/main/engine/lm'
import { openBackend } from '../../src/main/engine/tf'
import { toText } from '../../src/shared/token-spans'
import { SaeQuality, SaeSummary } from '../../src/shared/domain'
import { PRIORS } from './baselines'
import { markdownTable } from './markdown'
import { MODEL } from './model-folder'
import { SPECIAL_ID } from './texts'

const Row = z.object({
  ...{ domain: z.string(), language: z.string(), tokens: z.number(), bytes: z.number(), model: z.number() },
  ...{ unigram: z.number(), bigram: z.number(), gzipWindows: z.number(), gzipText: z.number() },
})
type Row = z.infer<typeof Row>
const Evaluation = z.object({ device: z.string(), parameters: z.number(), rows: z.array(Row) })
const Log = z.looseObject({
  step: z.number().optional(),
  tokens: z.number().optional(),
  heldOut: z.number().optional(),
})
const Amount = z.object({ documents: z.number(), bytes: z.number() })
const Corpus = z.object({ training: Amount, heldOut: Amount, sample: Amount })
const SaeFigures = z.object({ name: z.string(), summary: SaeSummary, quality: SaeQuality })

const SAMPLE_TOKENS = 90
const PROMPTS = [
  ...['To insert a table into the document,', 'And the LORD said unto', 'The President of the United States'],
  ...['문서에 표를 삽입하려면', 'def read_lines(path):\n', 'Traceback (most recent call last):\n'],
]

const ATLAS_AND_LABELS = `## Atlas and labels

\`saes/1-batchtopk/atlas.safetensors.gz\` is the feature atlas of the first autoencoder over the first 700 documents of the sample (475,182 tokens),
made by \`publish-atlas\` with the program's own job; an atlas job for these files and settings takes it instead of passing over the text again.

\`labels.json\` names 56 of its 4,096 features, in English and Korean. Each was written after reading its five strongest contexts and some
from the second and third interval of that atlas; where these disagree the label says both. Nothing was tested beyond that: a label is a
guess about what a feature is for. Many features of so small a model are about single tokens. [docs/probes.md](../../docs/probes.md) has what a
script found when it asked for features of some kinds.
`

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
const count = (value: number) => Math.round(value).toLocaleString('en-US')

/** Mean of the groups, each weighted by its bytes. */
const overall = (rows: readonly Row[], name: 'model' | 'unigram' | 'bigram' | 'gzipWindows' | 'gzipText') =>
  rows.reduce((sum, row) => sum + row[name] * row.bytes, 0) / rows.reduce((sum, { bytes }) => sum + bytes, 0)

function lossTable(rows: readonly Row[]): string {
  const line = (
    what: string,
    row: Pick<Row, 'model' | 'unigram' | 'bigram' | 'gzipWindows' | 'gzipText'>,
    loss: string,
  ) => [
    ...[what, row.model, row.unigram, row.bigram, row.gzipWindows, row.gzipText].map((value) =>
      typeof value === 'number' ? value.toFixed(2) : value,
    ),
    loss,
  ]
  const all = {
    ...{ model: overall(rows, 'model'), unigram: overall(rows, 'unigram'), bigram: overall(rows, 'bigram') },
    ...{ gzipWindows: overall(rows, 'gzipWindows'), gzipText: overall(rows, 'gzipText') },
  }
  return markdownTable(
    ['domain, language', 'model', 'unigram', 'bigram', 'gzip -9, windows', 'gzip -9, whole text', 'nats per token'],
    [
      ...rows.map((row) =>
        line(`${row.domain}, ${row.language}`, row, ((row.model * row.bytes * Math.LN2) / row.tokens).toFixed(2)),
      ),
      line('all', all, ''),
    ],
  )
}

function saeTable(demo: string): string {
  const rows = readdirSync(join(demo, 'saes'))
    .sort()
    .map((folder) => {
      const path = join(demo, 'saes', folder)
      const { name, summary, quality } = SaeFigures.parse(json(join(path, 'monoscope.json')))
      const { size } = statSync(join(path, 'sae_weights.safetensors'))
      return [
        ...[name, quality.explainedVariance.toFixed(3), quality.l0.toFixed(1), quality.ceRecovered?.toFixed(3) ?? '-'],
        ...[`${(100 * summary.deadFraction).toFixed(1)} % of ${count(summary.deadWindowTokens)} tokens`],
        ...[count(summary.trainedTokens), megabytes(size)],
      ]
    })
  return markdownTable(['autoencoder', 'explained variance', 'L0', 'CE recovered', 'dead', 'trained on', 'size'], rows)
}

const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))

/** The last line of the training's log, and how often its tokens went over the text. */
function trainingOf(path: string) {
  const log = readFileSync(path, 'utf8').trimEnd().split('\n')
  const last = Log.parse(JSON.parse(log.at(-1) ?? '{}'))
  const first = z.object({ trainingTokens: z.number() }).parse(JSON.parse(log[0] ?? '{}'))
  return { last, passes: (last.tokens ?? 0) / first.trainingTokens }
}

async function samples(folder: string): Promise<string> {
  const model = await loadModel(folder)
  const tokenizer = await loadTokenizer(folder)
  const parts: string[] = []
  for (const [at, prompt] of PROMPTS.entries()) {
    const made: number[] = []
    const options = { maxTokens: SAMPLE_TOKENS, temperature: 0.7, topP: 0.95, seed: at, stopIds: [SPECIAL_ID] }
    for await (const event of continueAll(model, [[SPECIAL_ID, ...(await tokenizer.encode(prompt))]], options)) {
      if (event.type === 'token' && event.id !== SPECIAL_ID) made.push(event.id)
    }
    parts.push(`\`\`\`text\n${prompt}»${toText(made, tokenizer.pieces)}\n\`\`\``)
  }
  return parts.join('\n\n')
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ options: { corpus: text, state: text, demo: text } })
  const { corpus, state, demo } = values
  if (corpus === undefined || state === undefined || demo === undefined) throw new Error('every option is needed')
  await openBackend()
  const { rows, parameters } = Evaluation.parse(json(join(state, 'evaluation.json')))
  const { training, heldOut, sample } = Corpus.parse(json(join(corpus, 'figures.json')))
  const { last, passes } = trainingOf(join(state, 'log.jsonl'))
  const { layers, width, mlp, heads, context } = MODEL
  writeFileSync(
    join(demo, 'README.md'),
    `# The demo's model, text and autoencoders

Made by the scripts in \`scripts/demo\` with the program's own engine, for this program's demo; every number here was measured by them.

## Model

A language model in the shape of Llama (RMSNorm, rotary positions, SwiGLU, tied embeddings): ${layers} layers, width ${width}, ${heads} heads, inner
width ${mlp}, context ${context}, a byte-level BPE vocabulary of 6,144; ${count(parameters)} parameters in float16. It knows no
instructions and no facts worth trusting: it is there to have features that can be looked at.

## Data

${megabytes(training.bytes)} of text in ${count(training.documents)} documents to train on, ${megabytes(heldOut.bytes)} in ${count(heldOut.documents)} held out: help pages and a handbook in seven languages,
speeches, a novel, scripture, glosses of a dictionary, documentation and source code, and a little made by chance and patterns (tables, letters,
sums, logs, tracebacks). Parallel pages of all languages lie on one side of the split, and held-out documents that share more than a fifth of
their rows of twelve words with training text are left out. Where each text comes from, and under which licence: [SOURCES.md](SOURCES.md).
\`sample.jsonl.gz\` is about a sixth of the training text, from every source (${megabytes(sample.bytes)} unpacked).

## Training

${count(last.tokens ?? 0)} tokens in ${count(last.step ?? 0)} steps of 3,072 (12 windows of 256), on two cores without a graphics card; Adam, rate 0.002 after 200 steps, falling to 0
over the last ones, gradients clipped at norm 1, float32. Mean loss on 96 held-out windows at the end: ${(last.heldOut ?? Number.NaN).toFixed(3)} nats per token.

## Loss on held-out text

Bits per byte, fewer is better, on up to ${count(Math.max(...rows.map(({ tokens }) => tokens)))} tokens of each group. The model reads windows as the app does: the special token, then at most 255 tokens of one document. Unigram and
bigram are counts over all training text in the same tokens (bigram: the best of ${PRIORS.length} priors, chosen in its favour); gzip sees the same windows one by one, and beside it each
group's whole text at once.

${lossTable(rows)}

## Samples

Up to ${SAMPLE_TOKENS} tokens at temperature 0.7 and top-p 0.95 after », the seed is the number of the sample from 0; nothing was chosen.

${await samples(join(demo, 'model'))}

## Autoencoders

On the residual stream after the middle block, trained by the program on the shipped sample, stored in float16; measured as they ship on about 16,400 tokens of held-out text
(docs/metrics.md says how). Dead: silent over the last tokens of training.

${saeTable(demo)}

## Limits

The model is small and was trained on ${passes.toFixed(2)} times as many tokens as the text has: it writes fluent fragments, not sense. All languages but English are
software manuals alone; the novel and the scripture are old and speak accordingly. What a feature of it does says nothing about
larger models. The text of the King James Bible, of presidents and of a whaling novel is in it unchanged, with the views of their times.

## Making it again

\`\`\`sh
node scripts/demo/run.mjs corpus/build CORPUS            # needs npm and Debian's apt-get download
node scripts/demo/run.mjs train-model --corpus CORPUS --state STATE --minutes 80 --decay 700
node scripts/demo/run.mjs evaluate-model --corpus CORPUS --state STATE --model STATE/model --out STATE/evaluation.json
npm run -s monoscope -- train --architecture batchtopk --d-sae 4096 --k 48 --tokens 1500000 --batch-tokens 2048 --context 256 --lr 0.001 --no-atlas
npm run -s monoscope -- train --architecture standard --d-sae 4096 --l1 3 --tokens 600000 --context 256 --no-atlas
node scripts/demo/run.mjs publish-sae --workspace DIR --sae ID --model STATE/model --held-out CORPUS/held-out.jsonl --name NAME --to DIR
node scripts/demo/run.mjs publish-atlas --demo resources/demo
node scripts/demo/run.mjs card --corpus CORPUS --state STATE --demo resources/demo
\`\`\`

The trainings take the model and the unpacked sample as they stand in a workspace. \`train-model\` goes on where it stopped; \`--from MODEL\` trains on from published weights.

${ATLAS_AND_LABELS}`,
  )
  process.exit(0)
}

void main()
