/** Configs of Llama's relatives: which tensors they have, what absent keys mean, and what is refused. */
import { describe, expect, it } from 'vitest'
import { FAMILIES } from '../../src/main/engine/lm/families'

const CONFIG = {
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 4,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 4,
  vocab_size: 11,
}

const parse = (family: string, change: Record<string, unknown> = {}) => {
  const known = FAMILIES.find(({ modelType }) => modelType === family)
  if (!known) throw new Error(`${family} is not registered`)
  return known.parse({ ...CONFIG, ...change })
}
const shapesOf = (family: string, change?: Record<string, unknown>) =>
  Object.fromEntries(parse(family, change).shapes(() => false))

describe('the tensors of a family', () => {
  it('qwen2 has biases on queries, keys and values only, whatever its config says of biases', () => {
    const shapes = shapesOf('qwen2', { attention_bias: false })
    expect(shapes['layers.3.self_attn.q_proj.bias']).toEqual([8])
    expect(shapes['layers.3.self_attn.k_proj.bias']).toEqual([4])
    expect(shapes['layers.3.self_attn.v_proj.bias']).toEqual([4])
    expect(shapes).not.toHaveProperty(['layers.3.self_attn.o_proj.bias'])
  })
  it('qwen3 has norms of heads, and no biases', () => {
    const shapes = shapesOf('qwen3')
    expect(shapes['layers.0.self_attn.q_norm.weight']).toEqual([4])
    expect(shapes['layers.0.self_attn.k_norm.weight']).toEqual([4])
    expect(Object.keys(shapes).filter((name) => name.endsWith('.bias'))).toEqual([])
  })
  it('qwen3 has heads of 128 where its config is silent', () => {
    const silent = Object.fromEntries(Object.entries(CONFIG).filter(([key]) => key !== 'head_dim'))
    const qwen3 = FAMILIES.find(({ modelType }) => modelType === 'qwen3')
    expect(qwen3?.parse(silent).facts).toMatchObject({ headDim: 128, contextSize: 32768, family: 'qwen3' })
  })
})

it.each(['qwen2', 'qwen3'])('%s refuses an activation that nobody wrote', (family) => {
  expect(() => parse(family, { hidden_act: 'relu' })).toThrow('the activation relu is not supported')
})

it.each(['qwen2', 'qwen3'])('%s refuses a window only when it is in use', (family) => {
  expect(() => parse(family, { sliding_window: 8, use_sliding_window: true })).toThrow(
    'a sliding window is not supported',
  )
  expect(parse(family, { sliding_window: 8, use_sliding_window: false }).facts.layers).toBe(4)
})
