/** The GPT families beside their fixtures: what configs may say, the hook that parallel blocks lack, and the exact GELU. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { gradientAtHook, listHooks, loadModel, requireHook } from '../../src/main/engine/lm'
import { geluErf, geluNamed, geluTanh } from '../../src/main/engine/lm/activations'
import { FAMILIES } from '../../src/main/engine/lm/families'
import { openBackend, tf } from '../../src/main/engine/tf'
import { goldensFolder, reportSkip } from './goldens'

const parse = (family: string, config: Record<string, unknown>) => {
  const known = FAMILIES.find(({ modelType }) => modelType === family)
  if (!known) throw new Error(`${family} is not registered`)
  return known.parse(config)
}
const shapesOf = (family: string, config: Record<string, unknown>) =>
  Object.fromEntries(parse(family, config).shapes(() => false))

const GPT2 = { n_embd: 8, n_layer: 2, n_head: 2, vocab_size: 11 }
const NEO = { hidden_size: 8, num_layers: 4, num_heads: 2, vocab_size: 11, attention_types: [[['global', 'local'], 2]] }
const NEOX = {
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 12,
  vocab_size: 11,
}

beforeAll(() => openBackend('cpu'))

describe('the config of gpt_neo', () => {
  it('may list kinds of layers, or runs of kinds', () => {
    expect(parse('gpt_neo', NEO).facts).toMatchObject({ family: 'gpt_neo', layers: 4, headDim: 4, contextSize: 2048 })
    const listed = { ...NEO, attention_layers: ['local', 'global', 'local', 'local'] }
    expect(parse('gpt_neo', listed).facts.layers).toBe(4)
  })
  it.each([
    [{ num_heads: 3 }, 'a width of 8 cannot be shared by 3 heads'],
    [{ num_layers: 5 }, 'attention is described for 4 layers of 5'],
    [{ attention_layers: ['global'] }, 'attention is described for 1 layers of 4'],
    [{ attention_types: [[['global', 'sparse'], 2]] }, 'attention of kind sparse is not supported'],
    [{ attention_types: [[['global', 'local'], 1e9]] }, 'Too big'],
    [{ activation_function: 'relu' }, 'the activation relu is not supported'],
  ])('is refused with %j', (change, reason) => {
    expect(() => parse('gpt_neo', { ...NEO, ...change })).toThrow(reason)
  })
  it('has no biases on queries, keys and values, and one on the output', () => {
    const names = Object.keys(shapesOf('gpt_neo', NEO)).filter((name) => name.startsWith('h.0.attn'))
    expect(names.map((name) => name.replace('h.0.attn.attention.', ''))).toEqual([
      'q_proj.weight',
      'k_proj.weight',
      'v_proj.weight',
      'out_proj.weight',
      'out_proj.bias',
    ])
  })
})

describe('the config of gpt_neox', () => {
  it.each([
    [{ rotary_pct: 0.1 }, '0 features of a head cannot be rotated'],
    [{ rotary_pct: 0.5, num_attention_heads: 8, hidden_size: 16 }, '1 features of a head cannot be rotated'],
    [{ rope_scaling: { type: 'linear' } }, 'rope_scaling of type linear lacks its numbers'],
    [{ rope_parameters: { rope_type: 'yarn' } }, 'rope_scaling of type yarn is not supported'],
    [
      { rope_scaling: { type: 'longrope', short_factor: [1], long_factor: [2], original_max_position_embeddings: 8 } },
      'rope_scaling of type longrope is not supported',
    ],
    [{ quantization_config: { bits: 4 } }, 'quantised weights are not supported'],
    [{ hidden_act: 'relu' }, 'the activation relu is not supported'],
    [{ hidden_size: 15 }, 'a width of 15 cannot be shared by 2 heads'],
  ])('is refused with %j', (change, reason) => {
    expect(() => parse('gpt_neox', { ...NEOX, ...change })).toThrow(reason)
  })
  it('decides on biases, the head and the hook between attention and MLP', () => {
    const usual = shapesOf('gpt_neox', NEOX)
    expect(usual['layers.1.attention.query_key_value.bias']).toEqual([48])
    expect(usual['embed_out.weight']).toEqual([11, 16])
    expect(parse('gpt_neox', NEOX).facts.absentHooks).toEqual(['hook_resid_mid'])
    const other = { ...NEOX, attention_bias: false, tie_word_embeddings: true, use_parallel_residual: false }
    const names = Object.keys(shapesOf('gpt_neox', other))
    expect(names.filter((name) => name.includes('attention.') && name.endsWith('bias'))).toEqual([])
    expect(names).not.toContain('embed_out.weight')
    expect(parse('gpt_neox', other).facts.absentHooks).toBeUndefined()
  })
})

it('gpt2 refuses heads that do not divide its width', () => {
  expect(() => parse('gpt2', { ...GPT2, n_head: 3 })).toThrow('a width of 8 cannot be shared by 3 heads')
})

describe('a hook that the blocks of a model lack', () => {
  it('is not listed, and refused with the reason', () => {
    const listed = listHooks(2, ['hook_resid_mid'])
    expect(listed).toEqual(listHooks(2).filter((name) => !name.endsWith('hook_resid_mid')))
    expect(listed.length).toBe(listHooks(2).length - 2)
    expect(() => requireHook('blocks.1.hook_resid_mid', 2, ['hook_resid_mid'])).toThrow(
      'The hook point blocks.1.hook_resid_mid does not exist in this model: its attention and MLP work side by side, so nothing lies between them. Use hook_resid_pre or hook_resid_post.',
    )
    expect(requireHook('blocks.1.hook_resid_mid', 2).site).toBe('hook_resid_mid')
  })

  const folder = join(goldensFolder() ?? '', 'gpt_neox')
  const isThere = existsSync(join(folder, 'config.json'))
  if (!isThere) reportSkip('hooks of gpt_neox', 'the folder of the fixture is absent; name it in GOLDENS_DIR')
  it.skipIf(!isThere)('is unknown to gpt_neox in every use, while every listed one is reached', async () => {
    const model = await loadModel(folder)
    const ids = tf.tensor2d([[1, 2, 3]], [1, 3], 'int32')
    const hookName = 'blocks.0.hook_resid_mid'
    const absent = expect.objectContaining({ code: 'hook-absent', details: { hookName } }) as unknown
    expect(model.hookNames()).not.toContain(hookName)
    expect(Object.keys(model.forward(ids, { capture: model.hookNames() }).captured)).toEqual(model.hookNames())
    for (const use of [
      () => model.forward(ids, { capture: [hookName] }),
      () => model.forward(ids, { stopAfter: hookName }),
      () => model.forward(ids, { intervene: { [hookName]: (x) => x } }),
      () => gradientAtHook(model, ids, hookName, (logits) => tf.sum(logits)),
    ]) {
      expect(use).toThrow(absent)
    }
    for (const [i, stopAfter] of model.hookNames().entries()) {
      const { logits, captured } = model.forward(ids, { capture: model.hookNames(), stopAfter })
      expect(logits).toBeNull()
      expect(Object.keys(captured)).toEqual(model.hookNames().slice(0, i + 1))
    }
    model.dispose()
  })
})

/** erf by its Taylor series in float64, which has all its digits for |x| < 3. */
function erf(x: number): number {
  let term = x
  let sum = x
  for (let n = 1; n < 80; n++) {
    term *= (-x * x) / n
    sum += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}

it.each(['tensorflow', 'wasm', 'cpu'] as const)('the exact GELU and its slope are right on %s', async (name) => {
  const backend = await openBackend(name).catch(() => null)
  if (!backend) return reportSkip(`GELU on ${name}`, 'this machine has no native library')
  const points = Array.from({ length: 161 }, (_, i) => -4 + i / 20)
  const x = tf.tensor1d(points)
  const values = await geluErf(x).data()
  const slopes = await tf
    .grad((at) => geluErf(at))(x)
    .data()
  const approximate = await geluTanh(x).data()
  let swapped = 0
  for (const [i, at] of points.entries()) {
    const cumulative = (1 + erf(at / Math.SQRT2)) / 2
    expect(Math.abs(values[i]! - at * cumulative)).toBeLessThan(2e-6)
    const density = Math.exp((-at * at) / 2) / Math.sqrt(2 * Math.PI)
    expect(Math.abs(slopes[i]! - (cumulative + at * density))).toBeLessThan(2e-6)
    swapped = Math.max(swapped, Math.abs(approximate[i]! - at * cumulative))
  }
  expect(swapped).toBeGreaterThan(1e-4)
  expect(geluNamed('gelu')).toBe(geluErf)
  expect(geluNamed('gelu_new')).toBe(geluTanh)
})
