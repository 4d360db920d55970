/** What a reconstruction does to a model, on a model small enough to compute by hand, and on a pretrained one where there is one. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { crossEntropy, LanguageModel, loadModel, loadTokenizer } from '../../src/main/engine/lm'
import { Splice } from '../../src/main/engine/measure/splice'
import type { SpliceFigures, Spliced } from '../../src/main/engine/measure/splice'
import { createSae } from '../../src/main/engine/sae/loaded'
import type { Sae } from '../../src/main/engine/sae/loaded'
import { Random } from '../../src/main/engine/train/random'
import { memoryReport, tf } from '../../src/main/engine/tf'
import { reportSkip, storiesFolder } from './goldens'

const VOCABULARY = 12
const WIDTH = 6
const BOS = 1
const SINK = 5
/** How much of the stream before it every block adds to a token's own. */
const MIX = 0.5
const HOOK = 'blocks.0.hook_resid_post'

const draw = (count: number, seed: number) => {
  const random = Random.fromSeed(seed)
  return Float32Array.from({ length: count }, () => random.normal())
}
const TABLE = draw(VOCABULARY * WIDTH, 3)
const HEAD = draw(WIDTH * VOCABULARY, 4)

/** Two blocks, each of which mixes in the token before, and a head; the hook lies between the blocks. */
function smallModel(): LanguageModel {
  const table = tf.tensor2d(TABLE, [VOCABULARY, WIDTH])
  const head = tf.tensor2d(HEAD, [WIDTH, VOCABULARY])
  const config = {
    ...{ family: 'toy', layers: 2, dModel: WIDTH, heads: 1, kvHeads: 1, headDim: WIDTH },
    ...{ vocabulary: VOCABULARY, contextSize: 32, bosId: BOS, dtype: 'float32', parameters: 1, weightBytes: 0 },
  }
  return new LanguageModel(config, {
    embed: (ids) => tf.reshape(tf.gather(table, tf.reshape(ids, [-1])), [ids.shape[0], ids.shape[1], WIDTH]),
    block: (x) => {
      const [batch, time, width] = x.shape
      const before = tf.concat([tf.zeros([batch, 1, width]), tf.slice(x, [0, 0, 0], [batch, time - 1, width])], 1)
      return tf.add(x, tf.mul(before, MIX))
    },
    unembed: (x) => {
      const [batch, time] = x.shape
      return tf.reshape(tf.matMul(tf.reshape(x, [batch * time, WIDTH]), head), [batch, time, VOCABULARY])
    },
    project: (directions) => tf.matMul(directions, head),
    dispose: () => tf.dispose([table, head]),
  })
}

type Rows = number[][]
const mixed = (xs: Rows): Rows => xs.map((x, t) => x.map((value, j) => value + MIX * (xs[t - 1]?.[j] ?? 0)))

/** Values at the hook, one row per token. */
const atHook = (ids: readonly number[]): Rows =>
  mixed(ids.map((id) => Array.from(TABLE.subarray(id * WIDTH, (id + 1) * WIDTH))))

/** Log-probabilities of the next token from values at the hook. */
const logProbabilitiesOf = (xs: Rows): Rows =>
  mixed(xs).map((x) => {
    const logits = Array.from({ length: VOCABULARY }, (_, v) =>
      x.reduce((sum, value, j) => sum + value * (HEAD[j * VOCABULARY + v] ?? 0), 0),
    )
    const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0))
    return logits.map((logit) => logit - total)
  })

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const crossEntropies = (logs: Rows, ids: readonly number[]) => ids.slice(1).map((id, t) => -(logs[t]?.[id] ?? 0))
const divergences = (clean: Rows, other: Rows) =>
  clean.slice(0, -1).map((row, t) => row.reduce((sum, log, v) => sum + Math.exp(log) * (log - (other[t]?.[v] ?? 0)), 0))

const TEXTS = [
  [BOS, 4, 7, SINK, 2, 9, 9, 3],
  [BOS, 11, 0, 6],
  [BOS, 8, 10, 2, SINK, 7],
]
const replacedIn = (ids: readonly number[]) => ids.map((id) => id !== BOS && id !== SINK)
const MEAN = Array.from({ length: WIDTH }, (_, j) =>
  meanOf(TEXTS.flatMap((ids) => atHook(ids).filter((_x, t) => replacedIn(ids)[t])).map((x) => x[j] ?? 0)),
)

/** Figures of a value at the hook, computed text by text in float64. */
function byHand(put: (x: number[]) => number[]): { ce: number; kl: number } {
  const found = TEXTS.map((ids) => {
    const xs = atHook(ids)
    const clean = logProbabilitiesOf(xs)
    const spliced = logProbabilitiesOf(xs.map((x, t) => (replacedIn(ids)[t] ? put(x) : x)))
    return { ce: crossEntropies(spliced, ids), kl: divergences(clean, spliced) }
  })
  return { ce: meanOf(found.flatMap(({ ce }) => ce)), kl: meanOf(found.flatMap(({ kl }) => kl)) }
}

function spliced(reconstruct: Spliced['reconstruct'], options: Pick<Spliced, 'blockLogits'> = {}): SpliceFigures {
  const model = smallModel()
  const before = memoryReport().tensors
  const splice = new Splice({ model, hookName: HOOK, mean: Float32Array.from(MEAN), reconstruct, ...options })
  for (const ids of TEXTS) splice.add({ ids: Int32Array.from(ids), replaced: Uint8Array.from(replacedIn(ids), Number) })
  expect(memoryReport().tensors).toBe(before)
  model.dispose()
  return splice.figures()
}

/** Every dimension as two features, one for each sign: nothing is lost. */
function identitySae(dIn: number): Sae {
  const [wEnc, wDec] = [new Float32Array(2 * dIn * dIn), new Float32Array(2 * dIn * dIn)]
  for (let j = 0; j < dIn; j++) {
    wEnc.set([1], j * 2 * dIn + j)
    wEnc.set([-1], j * 2 * dIn + dIn + j)
    wDec.set([1], j * dIn + j)
    wDec.set([-1], (dIn + j) * dIn + j)
  }
  const weights = {
    wEnc: { shape: [dIn, 2 * dIn], data: wEnc },
    bEnc: { shape: [2 * dIn], data: new Float32Array(2 * dIn) },
    wDec: { shape: [2 * dIn, dIn], data: wDec },
    bDec: { shape: [dIn], data: new Float32Array(dIn) },
  }
  return createSae({ architecture: 'standard', dIn, dSae: 2 * dIn, weights }, '')
}

/** What a dictionary makes of x. */
const through =
  (sae: Sae): Spliced['reconstruct'] =>
  (saeIn) =>
    tf.tidy(() => tf.reshape(sae.decode(sae.encode(saeIn)), saeIn.shape))

const DIGITS = 4
const FIGURES = ['ceClean', 'ceSpliced', 'ceZero', 'ceMean', 'kl', 'klScore'] as const

function smallCases(): void {
  const [clean, zero, average] = [byHand((x) => x), byHand((x) => x.map(() => 0)), byHand(() => MEAN)]

  it('gives the losses of a wrong reconstruction and of both baselines as computed by hand', () => {
    const half = byHand((x) => x.map((value) => value / 2))
    const found = spliced((saeIn) => tf.mul(saeIn, 0.5))
    expect(found.ceClean).toBeCloseTo(clean.ce, DIGITS)
    expect(found.ceSpliced).toBeCloseTo(half.ce, DIGITS)
    expect(found.ceZero).toBeCloseTo(zero.ce, DIGITS)
    expect(found.ceMean).toBeCloseTo(average.ce, DIGITS)
    expect(found.kl).toBeCloseTo(half.kl, DIGITS)
    expect(found.klScore).toBeCloseTo(1 - half.kl / zero.kl, DIGITS)
  })

  it('recovers nothing with zeros and everything with a dictionary that loses nothing', () => {
    const nothing = spliced((saeIn) => tf.zerosLike(saeIn))
    expect(nothing.ceSpliced).toBe(nothing.ceZero)
    expect(nothing.klScore).toBe(0)
    const sae = identitySae(WIDTH)
    const whole = spliced(through(sae))
    sae.dispose()
    expect(whole.ceSpliced).toBeCloseTo(whole.ceClean, 6)
    expect(whole.kl).toBeCloseTo(0, 6)
    expect(whole.klScore).toBeCloseTo(1, 6)
  })

  it('finds the same when logits come in parts, down to one position at a time', () => {
    const half: Spliced['reconstruct'] = (saeIn) => tf.mul(saeIn, 0.5)
    const whole = spliced(half)
    for (const blockLogits of [1, 3 * VOCABULARY]) {
      const parts = spliced(half, { blockLogits })
      for (const key of FIGURES) expect(parts[key]).toBeCloseTo(whole[key] ?? Number.NaN, 5)
    }
  })

  it('runs the model up to the hook once for a text, and not at all where what it found is given', () => {
    const model = smallModel()
    const [forward, rest] = [vi.spyOn(model, 'forward'), vi.spyOn(model, 'residAfter')]
    const options = {
      model,
      hookName: HOOK,
      mean: Float32Array.from(MEAN),
      reconstruct: (x: tf.Tensor) => tf.mul(x, 0.5),
    }
    const [read, kept] = [new Splice(options), new Splice(options)]
    for (const row of TEXTS) {
      const text = { ids: Int32Array.from(row), replaced: Uint8Array.from(replacedIn(row), Number) }
      read.add(text)
      expect(forward).toHaveBeenCalledOnce()
      expect(forward.mock.calls[0]?.[1]).toMatchObject({ stopAfter: HOOK })
      expect(rest).toHaveBeenCalledTimes(4)
      kept.add({ ...text, values: [Float32Array.from(atHook(row).flat())] })
      expect(forward).toHaveBeenCalledOnce()
      vi.clearAllMocks()
    }
    model.dispose()
    const [one, other] = [read.figures(), kept.figures()]
    for (const key of FIGURES) expect(other[key]).toBeCloseTo(one[key] ?? Number.NaN, 5)
  })

  it('leaves BOS and sinks as they are', () => {
    const isKept = new Set(TEXTS.flatMap((ids) => replacedIn(ids)))
    expect([...isKept].toSorted()).toEqual([false, true])
    const everywhere = TEXTS.map((ids) => logProbabilitiesOf(atHook(ids).map((x) => x.map(() => 0))))
    const wrong = meanOf(TEXTS.flatMap((ids, at) => crossEntropies(everywhere[at] ?? [], ids)))
    expect(Math.abs(wrong - zero.ce)).toBeGreaterThan(0.01)
    expect(spliced((saeIn) => tf.zerosLike(saeIn)).ceSpliced).toBeCloseTo(zero.ce, DIGITS)
  })

  it('makes nothing of a text of one token, and says nothing recovered where a baseline does no harm', () => {
    const model = smallModel()
    const splice = new Splice({
      ...{ model, hookName: HOOK, mean: new Float32Array(WIDTH), reconstruct: (saeIn) => tf.zerosLike(saeIn) },
    })
    splice.add({ ids: Int32Array.of(BOS), replaced: Uint8Array.of(0) })
    // No token is replaced, so that zeros change nothing.
    splice.add({ ids: Int32Array.of(BOS, 4, 7), replaced: Uint8Array.of(0, 0, 0) })
    const { ceRecovered, ceRecoveredMean, klScore, kl, ceSpliced, ceClean } = splice.figures()
    expect({ ceRecovered, ceRecoveredMean, klScore }).toEqual({
      ceRecovered: null,
      ceRecoveredMean: null,
      klScore: null,
    })
    expect(kl).toBeCloseTo(0, 6)
    expect(ceSpliced).toBeCloseTo(ceClean, 6)
    model.dispose()
  })
}

const STORY_HOOK = 'blocks.2.hook_resid_post'
const STORY_TOKENS = 64
/** One of every kind of place: before the blocks, at a block's ends, between its parts, within attention and MLP. */
const CUT_HOOKS = [
  'hook_embed',
  ...['hook_resid_pre', 'attn.hook_z', 'hook_attn_out', 'hook_resid_mid', 'mlp.hook_post', 'hook_mlp_out'],
].map((site) => (site === 'hook_embed' ? site : `blocks.2.${site}`))

const Story = z.object({ text: z.string() })

/** Two stories as the model reads them. */
async function readStories(folder: string, bosId: number | null, vocabulary: number): Promise<Int32Array[]> {
  const tokenizer = await loadTokenizer(folder, vocabulary)
  const lines = readFileSync(join(folder, 'corpus.jsonl'), 'utf8').split('\n').slice(0, 2)
  const read = async (line: string) => {
    const ids = await tokenizer.encode(Story.parse(JSON.parse(line)).text)
    return Int32Array.from(bosId === null ? ids : [bosId, ...ids]).slice(0, STORY_TOKENS)
  }
  return Promise.all(lines.map(read))
}

async function storyFigures(folder: string, reconstruct: Spliced['reconstruct'], hookName = STORY_HOOK) {
  const model = await loadModel(folder)
  const { bosId, vocabulary, dModel } = model.config
  const splice = new Splice({ model, hookName, mean: new Float32Array(dModel), reconstruct })
  for (const ids of await readStories(folder, bosId, vocabulary)) {
    splice.add({ ids, replaced: Uint8Array.from(ids, (id) => (id === bosId ? 0 : 1)) })
  }
  model.dispose()
  return splice.figures()
}

function storyCases(folder: string): void {
  it('recovers all of the loss with a dictionary that loses nothing, and none with zeros', async () => {
    const sae = identitySae(64)
    const whole = await storyFigures(folder, through(sae))
    sae.dispose()
    expect(whole.ceClean).toBeGreaterThan(0.5)
    expect(whole.ceZero).toBeGreaterThan(whole.ceClean + 1)
    expect(whole.ceRecovered).toBeCloseTo(1, 4)
    expect(whole.kl).toBeCloseTo(0, 5)
    const nothing = await storyFigures(folder, (saeIn) => tf.zerosLike(saeIn))
    expect(nothing.ceSpliced).toBe(nothing.ceZero)
    expect(nothing.ceRecovered).toBe(0)
    expect(nothing.klScore).toBe(0)
    // The mean given here is zero, so both baselines are the same.
    expect(nothing.ceMean).toBe(nothing.ceZero)
  }, 60_000)

  it('gives the losses that whole passes give, wherever in a block the hook is', async () => {
    const model = await loadModel(folder)
    const { bosId, vocabulary } = model.config
    const [ids = new Int32Array()] = await readStories(folder, bosId, vocabulary)
    const replaced = Uint8Array.from(ids, (id) => (id === bosId ? 0 : 1))
    const half = (x: tf.Tensor) => tf.mul(x, 0.5)
    const input = tf.tensor2d([...ids], [1, ids.length], 'int32')
    const lossWith = (hookName: string, put: (x: tf.Tensor) => tf.Tensor) =>
      tf.tidy(() => {
        const rows = (x: tf.Tensor) => tf.reshape(x, [ids.length, -1])
        const mask = tf.tensor2d(Float32Array.from(replaced), [ids.length, 1])
        const mix = (x: tf.Tensor) =>
          tf.reshape(tf.add(tf.mul(rows(put(x)), mask), tf.mul(rows(x), tf.sub(1, mask))), x.shape)
        const { logits } = model.forward(input, { intervene: { [hookName]: mix } })
        return meanOf([...crossEntropy(logits!, input).dataSync<'float32'>()])
      })
    for (const hookName of CUT_HOOKS) {
      const width = hookName.endsWith('hook_post') ? 172 : 64
      const splice = new Splice({ model, hookName, mean: new Float32Array(width), reconstruct: half })
      splice.add({ ids, replaced })
      const found = splice.figures()
      expect(found.ceSpliced, hookName).toBeCloseTo(lossWith(hookName, half), DIGITS)
      expect(found.ceZero, hookName).toBeCloseTo(
        lossWith(hookName, (x) => tf.zerosLike(x)),
        DIGITS,
      )
    }
    input.dispose()
    model.dispose()
  }, 60_000)

  it('loses more the more of x is lost', async () => {
    const figures = [1, 0.9, 0.5].map((share) => storyFigures(folder, (saeIn) => tf.mul(saeIn, share)))
    const [whole, most, half] = await Promise.all(figures)
    if (!whole || !most || !half) throw new Error('a figure is missing')
    expect(whole.kl).toBeLessThan(most.kl)
    expect(most.kl).toBeLessThan(half.kl)
    const { ceZero, ceSpliced, ceClean } = half
    expect(half.ceRecovered).toBeCloseTo((ceZero - ceSpliced) / (ceZero - ceClean), 9)
    expect(half.ceRecovered).toBeLessThan(1)
    expect(half.ceRecovered).toBeGreaterThan(0)
  }, 60_000)
}

/** Registers the cases on the backend that is open. */
export function qualityCases(backend: string): void {
  describe(`a reconstruction in the model on ${backend}`, smallCases)
  const stories = storiesFolder()
  if (!stories) reportSkip(`a reconstruction in stories260K on ${backend}`, 'the folder of the model is absent')
  else describe(`a reconstruction in stories260K on ${backend}`, () => storyCases(stories))
}
