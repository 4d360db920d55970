/** The float64 reference against the fixtures: it must be right itself before the engine is held against it. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readTensors, relativeError, reportSkip, usualGoldens } from './goldens'
import { anglesOf, llamaLike } from './reference-model'
import type { Reference, ReferenceSpec, ReferenceWeights } from './reference-model'
import { neoX } from './reference-neox'
import { gradientOf, greedyText, runReference, steeredLogits } from './reference-run'

/** What the same program in float32 leaves is below 6e-6. */
const LIMIT = 1e-5

const Expected = z.object({
  hook_layer: z.int(),
  sequences: z.array(
    z.object({
      name: z.string(),
      input_ids: z.array(z.int()),
      grad: z.object({ t: z.int(), a: z.int(), b: z.int(), logit_diff: z.number() }),
    }),
  ),
  greedy: z.object({ tokens: z.array(z.int()), steered_tokens: z.array(z.int()) }),
})

/** What the fixtures of llama and its relatives have in common; each below says what is its own. */
const LLAMA: ReferenceSpec = {
  ...{ layers: 3, width: 32, neurons: 88, heads: 4, kvHeads: 2, headDim: 8, vocabulary: 97, eps: 1e-3 },
  ...{ onePlus: false, outputNorms: false, headNorms: false, embedFactor: 1, scoreFactor: 1 / Math.sqrt(8) },
  ...{ scoreCap: null, logitCap: null, gate: 'silu', fused: false, tied: false },
  window: () => null,
  turning: () => ({ angles: anglesOf(10000, 8), magnitude: 1 }),
}

/** Llama 3.1: long waves turn 8 times slower, short ones stay, those between are mixed. */
function llama3Factor(pair: number): number {
  const angle = anglesOf(500000, 16)[pair]!
  const turns = (64 * angle) / (2 * Math.PI)
  if (turns > 4) return 1
  const share = Math.max(0, (turns - 1) / 3)
  return 1 / (share + (1 - share) / 8)
}

const SPECS: Record<string, Partial<ReferenceSpec>> = {
  llama: {},
  llama3_rope_tied: {
    ...{ headDim: 16, eps: 1e-5, tied: true, scoreFactor: 1 / 4 },
    turning: () => ({ angles: anglesOf(500000, 16, llama3Factor), magnitude: 1 }),
  },
  mistral: { neurons: 96, eps: 1e-5, window: () => 8 },
  qwen2: { neurons: 80, eps: 1e-6, tied: true, turning: () => ({ angles: anglesOf(1e6, 8), magnitude: 1 }) },
  qwen3: {
    ...{ neurons: 80, headDim: 16, scoreFactor: 1 / 4, tied: true, headNorms: true },
    turning: () => ({ angles: anglesOf(1e6, 16), magnitude: 1 }),
  },
  gemma2: {
    ...{ layers: 4, neurons: 72, headDim: 12, tied: true, onePlus: true, outputNorms: true, gate: 'gelu-tanh' },
    ...{ embedFactor: Math.sqrt(32), scoreFactor: 1 / Math.sqrt(20), scoreCap: 3, logitCap: 6 },
    window: (layer) => (layer % 2 === 0 ? 6 : null),
    turning: () => ({ angles: anglesOf(10000, 12), magnitude: 1 }),
  },
}
const NEOX = {
  ...{ layers: 3, width: 64, neurons: 128, heads: 4, vocabulary: 97, eps: 1e-3, parallel: true, tied: false },
  angles: anglesOf(10000, 4),
}

const widthOf = (folder: string) =>
  z
    .looseObject({ intermediate_size: z.int(), rms_norm_eps: z.number().optional() })
    .parse(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')))

/** Tensors under their names without prefix. */
async function readWeights(folder: string): Promise<ReferenceWeights> {
  const stored = await readTensors(join(folder, 'model.safetensors'))
  const weights = new Map<string, ArrayLike<number>>()
  for (const [name, { data }] of stored) {
    if (data instanceof Float32Array) weights.set(name.replace(/^(model|gpt_neox)\./, ''), data)
  }
  return weights
}

async function compareAll(folder: string, model: Reference): Promise<void> {
  const expected = Expected.parse(JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')))
  const tensors = await readTensors(join(folder, 'expected.safetensors'))
  const floats = (name: string) => {
    const data = tensors.get(name)?.data
    return data instanceof Float32Array ? data : new Float32Array()
  }
  const near = (name: string, got: ArrayLike<number>) =>
    expect(relativeError(got, floats(name)), name).toBeLessThan(LIMIT)
  const steer = { layer: expected.hook_layer, vector: floats('steer_vector') }
  for (const { name, input_ids: ids } of expected.sequences) {
    for (const [kind, values] of runReference(model, ids)) near(`${name}.${kind}`, values)
    near(`${name}.steered_logits`, steeredLogits(model, ids, steer))
  }
  const shortest = expected.sequences.at(-1)!
  const { gradient, logitDifference } = gradientOf(model, shortest.input_ids, steer.layer, shortest.grad)
  near(`${shortest.name}.grad`, gradient)
  expect(Math.abs(logitDifference - shortest.grad.logit_diff)).toBeLessThan(LIMIT)
  const prompt = expected.sequences[0]!.input_ids
  expect(greedyText(model, prompt, 12).tokens).toEqual(expected.greedy.tokens)
  expect(greedyText(model, prompt, 12, steer).tokens).toEqual(expected.greedy.steered_tokens)
}

const usual = usualGoldens()
const root = usual ?? ''
if (!usual) reportSkip('the reference against its fixtures', 'the folder of the usual fixtures is absent')

describe.skipIf(!usual)('the float64 reference agrees with the fixture', () => {
  it.each(Object.keys(SPECS))('%s', async (name) => {
    const folder = join(root, name)
    expect(existsSync(folder)).toBe(true)
    const { intermediate_size: neurons, rms_norm_eps: eps } = widthOf(folder)
    const spec = { ...LLAMA, ...SPECS[name] }
    expect(spec).toMatchObject({ neurons, eps })
    await compareAll(folder, llamaLike(spec, await readWeights(folder)))
  })
  it('gpt_neox', async () => {
    const folder = join(root, 'gpt_neox')
    await compareAll(folder, neoX(NEOX, await readWeights(folder)))
  })
})
