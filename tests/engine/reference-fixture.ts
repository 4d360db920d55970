/** Writes a small random checkpoint with what the float64 reference computes from it, laid out as the fixtures are. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Random } from '../../src/main/engine/train/random'
import { writeSafetensors } from '../../src/main/files/safetensors'
import type { TensorToWrite } from '../../src/main/files/safetensors'
import type { ReferenceCase } from './reference-cases'
import type { Reference, ReferenceWeights } from './reference-model'
import { gradientOf, greedyText, meanLoss, runReference, steeredLogits } from './reference-run'

const GREEDY_TOKENS = 12
/** Least lead of each greedy token, as a share of the largest logit: far above what float32 can turn round. */
const LEAST_LEAD = 0.005

const floats = (values: readonly number[]): TensorToWrite => ({
  ...{ dtype: 'F32', shape: [values.length], data: Float32Array.from(values) },
})

/** Numbers of the size that trained weights have, float32, so that file and reference hold the same. */
export function drawWeights({ shapes, isFactor }: ReferenceCase, seed: number): Map<string, Float32Array<ArrayBuffer>> {
  return new Map(
    shapes.map(([name, shape], i) => {
      const random = Random.fromSeed(seed, i)
      const size = shape.length === 1 ? 0.3 : /embed|head/.test(name) ? 0.6 : 0.8 / Math.sqrt(shape[1] ?? 1)
      const mean = isFactor(name) ? 1 : 0
      const count = shape.reduce((product, length) => product * length, 1)
      return [name, Float32Array.from({ length: count }, () => mean + size * random.normal())]
    }),
  )
}

export async function writeCheckpoint(folder: string, of: ReferenceCase, weights: ReadonlyMap<string, Float32Array>) {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'config.json'), JSON.stringify(of.config))
  const stored = (name: string) => (/^(lm_head|embed_out)\./.test(name) ? name : of.prefix + name)
  const tensors: Record<string, TensorToWrite> = {}
  for (const [name, shape] of of.shapes) {
    tensors[stored(name)] = { dtype: 'F32', shape, data: Float32Array.from(weights.get(name) ?? []) }
  }
  for (const [name, shape] of of.beside ?? []) {
    const count = shape.reduce((product, length) => product * length, 1)
    tensors[name] = { dtype: 'F32', shape, data: new Float32Array(count).fill(9) }
  }
  await writeSafetensors(join(folder, 'model.safetensors'), tensors)
}

export const drawIds = (count: number, seed: number, vocabulary = 53): number[] => {
  const random = Random.fromSeed(seed)
  return Array.from({ length: count }, () => random.int(vocabulary))
}

type Greedy = { prompt: number[]; tokens: number[]; steered: number[] }

/** The first drawn prompt all of whose greedy tokens have a clear lead, steered or not. */
function clearPrompt(model: Reference, steer: { layer: number; vector: number[] }): Greedy {
  for (let seed = 100; seed < 200; seed++) {
    const prompt = drawIds(14, seed)
    const plain = greedyText(model, prompt, GREEDY_TOKENS)
    const steered = greedyText(model, prompt, GREEDY_TOKENS, steer)
    if (Math.min(plain.lead, steered.lead) > LEAST_LEAD)
      return { prompt, tokens: plain.tokens, steered: steered.tokens }
  }
  throw new Error('no prompt was found that this model continues without doubt')
}

/** Weights of a case, always the same. */
export const caseWeights = (of: ReferenceCase): ReferenceWeights & ReadonlyMap<string, Float32Array> =>
  drawWeights(of, 7)

/** Writes `folder`/`of.name` with config.json, model.safetensors, expected.json and expected.safetensors. */
export async function writeReferenceFixture(folder: string, of: ReferenceCase): Promise<void> {
  const weights = caseWeights(of)
  await writeCheckpoint(join(folder, of.name), of, weights)
  const model = of.reference(weights)
  const layer = Math.floor(model.layers / 2)
  const random = Random.fromSeed(5)
  const width = model.embed([0])[0]!.length
  const steer = { layer, vector: Array.from({ length: width }, () => Math.fround(random.normal())) }
  const { prompt, tokens, steered } = clearPrompt(model, steer)
  const texts = { s0: prompt, s1: drawIds(14, 2), s2: drawIds(6, 3) }
  const expected: Record<string, TensorToWrite> = { steer_vector: floats(steer.vector) }
  const sequences = Object.entries(texts).map(([name, ids]) => {
    const pass = runReference(model, ids)
    for (const [kind, values] of pass) expected[`${name}.${kind}`] = floats(values)
    expected[`${name}.steered_logits`] = floats(steeredLogits(model, ids, steer))
    const difference = { t: ids.length - 2, a: 3, b: 11 }
    const { gradient, logitDifference } = gradientOf(model, ids, layer, difference)
    expected[`${name}.grad`] = floats(gradient)
    const grad = { ...difference, logit_diff: logitDifference }
    return { name, input_ids: ids, mean_ce: meanLoss(pass), grad }
  })
  await writeSafetensors(join(folder, of.name, 'expected.safetensors'), expected)
  const facts = {
    ...{ n_layers: model.layers, hook_layer: layer, sequences },
    greedy: { prompt: 's0', tokens, steered_tokens: steered },
  }
  await writeFile(join(folder, of.name, 'expected.json'), JSON.stringify(facts))
}
