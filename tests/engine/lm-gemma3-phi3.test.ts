/** Configs of Gemma 3 and Phi-3: what absent keys mean, the older and newer names of one thing, and what is refused. */
import { describe, expect, it } from 'vitest'
import { FAMILIES } from '../../src/main/engine/lm/families'
import { gemma3, gemma3Text } from '../../src/main/engine/lm/gemma3'
import { phi3 } from '../../src/main/engine/lm/phi3'
import { ropeScaling, rotatingWidth } from '../../src/main/engine/lm/rope-config'
import { gemma3Local, gemma3Newer, phi3Short } from './reference-cases'

const shapesOf = (family: typeof phi3, config: Record<string, unknown>) =>
  Object.fromEntries(family.parse(config).shapes(() => false))

describe('the config of gemma3', () => {
  it('means what the published class means where it is silent, as in models that read images', () => {
    const text_config = { hidden_size: 2560, intermediate_size: 10240, num_hidden_layers: 34, sliding_window: 1024 }
    const { facts, shapes } = gemma3.parse({ model_type: 'gemma3', text_config })
    expect(facts).toEqual({
      ...{ family: 'gemma3_text', layers: 34, dModel: 2560, heads: 8, kvHeads: 4, headDim: 256 },
      ...{ vocabulary: 262_208, contextSize: 131_072, bosId: 2 },
    })
    const named = Object.fromEntries(shapes(() => true))
    expect(named['layers.33.self_attn.k_norm.weight']).toEqual([256])
    expect(named['layers.33.post_feedforward_layernorm.weight']).toEqual([2560])
    expect(named).not.toHaveProperty(['lm_head.weight'])
  })
  it.each([
    [gemma3Local.config, { use_bidirectional_attention: true }, 'attention to later tokens is not supported'],
    [
      gemma3Local.config,
      { rope_scaling: { rope_type: 'yarn', factor: 2 } },
      'rope_scaling of type yarn is not supported',
    ],
    [gemma3Newer.config, { layer_types: ['full_attention'] }, 'layer_types names 1 layers of 4'],
    [gemma3Newer.config, { rope_parameters: { sliding_attention: { rope_type: 'linear' } } }, 'lacks its numbers'],
    [
      gemma3Newer.config,
      {
        rope_parameters: {
          sliding_attention: {
            ...{ rope_type: 'longrope', short_factor: [1, 1, 1, 1], long_factor: [1, 1, 1, 1] },
            original_max_position_embeddings: 8,
          },
        },
      },
      'rope_scaling of type longrope is not supported in local layers',
    ],
    [gemma3Local.config, { sliding_window_pattern: 0 }, 'sliding_window_pattern'],
    [gemma3Local.config, { query_pre_attn_scalar: -1 }, 'query_pre_attn_scalar'],
  ])('is refused: %#', (config, change, reason) => {
    expect(() => gemma3Text.parse({ ...config, ...change })).toThrow(reason)
  })
  it('needs a text part where it is that of a model which reads images', () => {
    expect(() => gemma3.parse({ model_type: 'gemma3' })).toThrow('text_config')
  })
})

describe('the config of phi3', () => {
  it('means what the published class means where it is silent', () => {
    const config = {
      hidden_size: 32,
      intermediate_size: 24,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      vocab_size: 53,
    }
    const { facts } = phi3.parse(config)
    expect(facts).toMatchObject({ family: 'phi3', kvHeads: 4, headDim: 8, contextSize: 4096, bosId: 1 })
    expect(facts).not.toHaveProperty('cacheBorder')
    expect(shapesOf(phi3, config)).toMatchObject({
      ...{ 'layers.1.self_attn.qkv_proj.weight': [96, 32], 'layers.1.mlp.gate_up_proj.weight': [48, 32] },
      'lm_head.weight': [53, 32],
    })
  })
  it('has a border where longrope has one', () => {
    expect(phi3.parse(phi3Short.config).facts.cacheBorder).toBe(32)
  })
  it.each([
    [{ partial_rotary_factor: 0.5 }, 'longrope has 3 factors for 2 pairs'],
    [{ partial_rotary_factor: 0.1 }, '0 features of a head cannot be rotated'],
    [
      { rope_scaling: { type: 'longrope', short_factor: [1, 1, 1] } },
      'rope_scaling of type longrope lacks its numbers',
    ],
    [{ rope_scaling: { type: 'su', short_factor: [1, 0, 1], long_factor: [1, 1, 1] } }, 'short_factor'],
    [{ rope_scaling: { type: 'dynamic', factor: 2 } }, 'rope_scaling of type dynamic is not supported'],
  ])('is refused with %j', (change, reason) => {
    expect(() => phi3.parse({ ...phi3Short.config, ...change })).toThrow(reason)
  })
})

describe('the magnitude of longrope', () => {
  const lists = { short_factor: [1], long_factor: [2] }
  const scaling = (rope: Record<string, unknown>, contextSize = 131_072) =>
    ropeScaling({ rope_type: 'longrope', ...lists, ...rope }, { contextSize, originalContext: 4096 })
  it('is sqrt(1 + ln(stretch) / ln(original)), 1.1902 for Phi-3-mini-128k, and 1 without stretch', () => {
    expect(scaling({})).toMatchObject({ magnitude: expect.closeTo(1.190238, 6) as number, originalContext: 4096 })
    expect(scaling({}, 4096)).toMatchObject({ magnitude: 1 })
  })
  it('is that of the config where it has one, and may be told its lengths by newer names', () => {
    expect(scaling({ attention_factor: 1.5 })).toMatchObject({ magnitude: 1.5 })
    expect(scaling({ original_max_position_embeddings: 64, factor: 64 })).toMatchObject({ magnitude: Math.SQRT2 })
  })
  it('has the older names su and yarn', () => {
    for (const type of ['su', 'yarn']) expect(scaling({ rope_type: undefined, type }).type).toBe('longrope')
  })
})

it('turns an even number of features', () => {
  expect(rotatingWidth(128, 0.75, { type: 'none' })).toBe(96)
  expect(() => rotatingWidth(6, 0.5, { type: 'none' })).toThrow('3 features of a head cannot be rotated')
})

it('refuses a share of a head in families that turn all of it', () => {
  const llama = FAMILIES.find(({ modelType }) => modelType === 'llama')
  const config = { ...phi3Short.config, rope_scaling: null }
  expect(() => llama?.parse(config)).toThrow('partial rotary embedding is not supported')
})
