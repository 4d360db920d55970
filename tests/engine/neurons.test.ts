/** Features against neurons on a real model: every correlation recomputed plainly in two passes of float64, and the best of each. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadModel, loadTokenizer } from '../../src/main/engine/lm'
import { NeuronSums } from '../../src/main/engine/measure/neuron-sums'
import { drawFeatures } from '../../src/main/engine/measure/neurons'
import { createSae } from '../../src/main/engine/sae/loaded'
import { tf } from '../../src/main/engine/tf'
import { Random } from '../../src/main/engine/train/random'
import { readSaelens, writeSaelens } from '../../src/main/files/saelens'
import type { FromWorker, NeuronSpec } from '../../src/main/jobs/messages'
import { runNeurons } from '../../src/main/tasks/neurons'
import { NeuronSummary, WEAK } from '../../src/shared/neurons'
import { openTestBackend, reportSkip, storiesFolder } from './goldens'

const stories = storiesFolder()
if (!stories) reportSkip('features against neurons', 'the stories260K model is absent')
const backend = await openTestBackend('wasm')
const D_MODEL = 64
const D_MLP = 172
const LAYERS = 3
const hookName = `blocks.${LAYERS - 1}.hook_resid_post`
const FEATURES = 40
const CONTEXT = 64
const TOKENS = 5000
/** Some tokens in twenty are beyond it. */
const SINK_NORM = 8.3
/** Differences of r that float32 products leave; measured 3.0e-7 at most. */
const TOLERANCE = 2e-6
let root = ''

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monoscope-neurons-'))
  if (stories) await makeInputs(stories)
})
afterAll(() => rm(root, { recursive: true }))

/** Feature 7 never fires. */
async function makeInputs(model: string): Promise<void> {
  const lines = (await readFile(join(model, 'corpus.jsonl'), 'utf8')).split('\n').slice(0, 120)
  await writeFile(join(root, 'corpus.jsonl'), `${lines.join('\n')}\n`)
  const random = Random.fromSeed(4)
  const draw = (count: number, scale: number) => Float32Array.from({ length: count }, () => scale * random.normal())
  const weights = {
    wEnc: { shape: [D_MODEL, FEATURES], data: draw(D_MODEL * FEATURES, 0.25) },
    bEnc: {
      shape: [FEATURES],
      data: Float32Array.from({ length: FEATURES }, (_, i) => (i === 7 ? -1e4 : -0.5 - i / 20)),
    },
    wDec: { shape: [FEATURES, D_MODEL], data: draw(FEATURES * D_MODEL, 1) },
    bDec: { shape: [D_MODEL], data: new Float32Array(D_MODEL) },
  }
  const own = { modelName: 'stories', hookName, contextSize: CONTEXT, prependBos: true, datasetPath: 'corpus' }
  await writeSaelens(
    join(root, 'sae'),
    { architecture: 'standard', dIn: D_MODEL, dSae: FEATURES, weights, shiftsInput: false, k: null },
    { origin: { ...own, monoscope: { sink_norm: SINK_NORM } }, firingShare: new Float64Array(FEATURES) },
  )
}

/** Activations and neurons of every token that counts, from one window at a time: acts [T][FEATURES], neurons [T][LAYERS * D_MLP]. */
async function readPlainly(): Promise<{ acts: Float32Array[]; neurons: Float32Array[]; sinks: number }> {
  const model = await loadModel(stories ?? '')
  const tokenizer = await loadTokenizer(stories ?? '', 512)
  const sae = createSae(await readSaelens(join(root, 'sae')), '')
  const hooks = Array.from({ length: LAYERS }, (_, layer) => `blocks.${layer}.mlp.hook_post`)
  const lines = (await readFile(join(root, 'corpus.jsonl'), 'utf8')).trim().split('\n')
  const found = { acts: [] as Float32Array[], neurons: [] as Float32Array[], sinks: 0 }
  let left = TOKENS
  for (const line of lines) {
    const ids = await tokenizer.encode((JSON.parse(line) as { text: string }).text)
    for (let start = 0; start < ids.length && left > 0; start += CONTEXT - 1) {
      const text = ids.slice(start, start + Math.min(left, CONTEXT - 1))
      left -= text.length
      const window = [tokenizer.bosId ?? 0, ...text]
      const { captured } = model.forward(tf.tensor2d([window], [1, window.length], 'int32'), {
        capture: [hookName, ...hooks],
      })
      const x = tf.reshape(captured[hookName] ?? tf.scalar(0), [window.length, D_MODEL])
      const codes = sae.encode(x)
      const [resid, acts] = [x.dataSync<'float32'>(), codes.dataSync<'float32'>()]
      const layers = hooks.map((name) => captured[name]?.dataSync<'float32'>() ?? new Float32Array())
      for (let t = 1; t < window.length; t++) {
        if (Math.hypot(...resid.subarray(t * D_MODEL, (t + 1) * D_MODEL)) > SINK_NORM) {
          found.sinks += 1
          continue
        }
        found.acts.push(acts.slice(t * FEATURES, (t + 1) * FEATURES))
        found.neurons.push(Float32Array.from(layers.flatMap((all) => [...all.subarray(t * D_MLP, (t + 1) * D_MLP)])))
      }
    }
  }
  sae.dispose()
  model.dispose()
  return found
}

/** Two passes: means first, then sums of products of differences from them. */
function pearson(a: number[], b: number[]): number {
  const meanOf = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [meanA, meanB] = [meanOf(a), meanOf(b)]
  let [together, squaresA, squaresB] = [0, 0, 0]
  a.forEach((value, t) => {
    const [da, db] = [value - meanA, (b[t] ?? 0) - meanB]
    together += da * db
    squaresA += da * da
    squaresB += db * db
  })
  return squaresA * squaresB > 0 ? together / Math.sqrt(squaresA * squaresB) : 0
}

const specOf = (
  settings: Partial<NeuronSpec['settings']> = {},
  eligible = [...Array(FEATURES).keys()],
): NeuronSpec => ({
  ...{ kind: 'neurons', model: { name: 'stories', path: stories ?? '', sha256: 'a' }, seed: 5, eligible },
  dataset: { name: 'corpus', path: join(root, 'corpus.jsonl'), textField: 'text', deduplicate: false, sha256: 'b' },
  sae: { path: join(root, 'sae'), hookName, contextSize: CONTEXT },
  settings: { features: 1000, tokens: TOKENS, seed: 3, ...settings },
})

async function run(spec: NeuronSpec, stopAfter = Infinity) {
  const messages: FromWorker[] = []
  let asked = 0
  const isDone = await runNeurons(spec, {
    send: (message) => messages.push(message),
    isCancelled: () => (asked += 1) > stopAfter,
    backend: { name: 'cpu', device: 'test', reason: '' },
    threadEntry: '',
  })
  const found = messages.find((message) => message.type === 'neurons')
  return { isDone, messages, found }
}

describe.skipIf(!stories || !backend)('features against neurons of a real model', () => {
  it('equals Pearson correlations of two passes, for every feature and neuron', { timeout: 120_000 }, async () => {
    const plain = await readPlainly()
    expect(plain.acts.length + plain.sinks).toBe(TOKENS)
    expect(plain.sinks).toBeGreaterThan(50)
    const { isDone, found, messages } = await run(specOf())
    if (!found) throw new Error('nothing was found')
    expect(isDone).toBe(true)
    const { summary, best } = found
    expect(NeuronSummary.parse(summary)).toMatchObject({
      ...{ tokens: plain.acts.length, sinkTokens: plain.sinks, layers: LAYERS, neurons: LAYERS * D_MLP, seed: 3 },
      ...{ features: FEATURES, eligible: FEATURES, datasetName: 'corpus', datasetSha256: 'b', modelSha256: 'a' },
    })
    expect(messages.filter(({ type }) => type === 'progress').at(-1)).toMatchObject({ done: TOKENS, total: TOKENS })
    const columns = Array.from({ length: LAYERS * D_MLP }, (_, n) => plain.neurons.map((row) => row[n] ?? 0))
    for (const { featureIndex, place, r, firedTokens } of best) {
      const acts = plain.acts.map((row) => row[featureIndex] ?? 0)
      const all = columns.map((neurons) => pearson(acts, neurons))
      const strongest = all.reduce((top, one) => Math.max(top, Math.abs(one)), 0)
      // A token at the very threshold of a feature may round to either side of it.
      expect(Math.abs(firedTokens - acts.filter((act) => act > 0).length)).toBeLessThanOrEqual(1)
      expect(Math.abs(Math.abs(r) - strongest)).toBeLessThanOrEqual(TOLERANCE)
      if (place) expect(Math.abs(r - (all[place.layer * D_MLP + place.neuron] ?? 9))).toBeLessThanOrEqual(TOLERANCE)
      else expect(strongest).toBe(0)
    }
    expect(best[7]).toEqual({ featureIndex: 7, place: null, r: 0, firedTokens: 0 })
    expect(best.filter(({ place }) => place === null)).toHaveLength(1)
    // Both signs occur among the best.
    expect(new Set(best.map(({ r }) => Math.sign(r)))).toEqual(new Set([-1, 0, 1]))
    expect(summary.histogram.reduce((sum, count) => sum + count, 0)).toBe(FEATURES)
    const weak = best.filter(({ r }) => Math.abs(r) <= WEAK).length
    expect(summary.weakShare).toBe(weak / FEATURES)
    expect(summary.histogram.slice(0, 6).reduce((sum, count) => sum + count, 0)).toBe(weak)

    // All pairs, not only the best of each: in blocks of odd sizes, so that nothing depends on where one ends.
    const sums = new NeuronSums(FEATURES, Array<number>(LAYERS).fill(D_MLP))
    for (let row = 0; row < plain.acts.length; row += 777) {
      const [acts, neurons] = [plain.acts.slice(row, row + 777), plain.neurons.slice(row, row + 777)]
      const layerOf = (layer: number) =>
        Float32Array.from(neurons.flatMap((all) => [...all.subarray(layer * D_MLP, (layer + 1) * D_MLP)]))
      const flat = Float32Array.from(acts.flatMap((all) => [...all]))
      sums.add({ acts: flat, neurons: [0, 1, 2].map(layerOf), rows: acts.length })
    }
    let worst = 0
    for (const feature of [0, 3, 7, 11, 25, 39]) {
      const acts = plain.acts.map((row) => row[feature] ?? 0)
      const found = sums.correlations(feature)
      columns.forEach((neurons, n) => (worst = Math.max(worst, Math.abs((found[n] ?? 9) - pearson(acts, neurons)))))
    }
    expect(worst).toBeLessThanOrEqual(TOLERANCE)
  })

  it('draws features by the seed, the same again, and all of them where there are no more', async () => {
    const eligible = [...Array(500).keys()].map((i) => 3 * i)
    const drawn = drawFeatures(eligible, 50, 1)
    expect(new Set(drawn).size).toBe(50)
    expect([...drawn]).toEqual([...drawn].sort((a, b) => a - b))
    expect(drawFeatures(eligible, 50, 1)).toEqual(drawn)
    expect(drawFeatures(eligible, 50, 2)).not.toEqual(drawn)
    expect([...drawFeatures(eligible, 5000, 1)]).toEqual(eligible)
    const { found } = await run(specOf({ features: 5, tokens: 300 }))
    expect(found?.best.map(({ featureIndex }) => featureIndex)).toEqual([
      ...drawFeatures([...Array(FEATURES).keys()], 5, 3),
    ])
    const again = await run(specOf({ features: 5, tokens: 300 }))
    expect(again.found?.best).toEqual(found?.best)
  })

  it('ends when it is told to, and refuses an autoencoder with no layer before it', async () => {
    const { isDone, found } = await run(specOf(), 0)
    expect({ isDone, found }).toEqual({ isDone: false, found: undefined })
    const spec = specOf()
    const early = { ...spec, sae: { ...spec.sae, hookName: 'blocks.0.hook_resid_pre' } }
    await expect(run(early)).rejects.toMatchObject({ code: 'neurons-none' })
    await writeFile(join(root, 'empty.jsonl'), '{"text":""}\n')
    const empty = { ...spec, dataset: { ...spec.dataset, path: join(root, 'empty.jsonl') } }
    await expect(run(empty)).rejects.toMatchObject({ code: 'dataset-empty' })
  })
})
