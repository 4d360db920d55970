/** Configs of Llama's relatives: which layers have a window, what absent keys mean, and what is refused. */
import { describe, expect, it } from 'vitest'
import { FAMILIES } from '../../src/main/engine/lm/families'
import { parseLlamaConfig, slidingWindow } from '../../src/main/engine/lm/llama-config'

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

describe('the window of a layer', () => {
  const windows = (change: Record<string, unknown>) => {
    const { variant } = parseLlamaConfig({ ...CONFIG, ...change }, (json) => ({
      window: slidingWindow(json, (layer) => layer % 2 === 0),
    }))
    return [0, 1, 2, 3].map((layer) => variant.window(layer))
  }
  it.each([
    [{ sliding_window: 6 }, [6, null, 6, null]],
    [{ sliding_window: null }, [null, null, null, null]],
    [{}, [null, null, null, null]],
    [
      { sliding_window: 6, layer_types: ['full_attention', 'full_attention', 'full_attention', 'sliding_attention'] },
      [null, null, null, 6],
    ],
  ])('follows %j', (change, expected) => {
    expect(windows(change)).toEqual(expected)
  })
  it('is refused when the list does not fit the layers', () => {
    expect(() => windows({ sliding_window: 6, layer_types: ['full_attention'] })).toThrow(
      'layer_types names 1 layers of 4',
    )
    const layer_types = ['full_attention', 'full_attention', 'linear_attention', 'full_attention']
    expect(() => windows({ sliding_window: 6, layer_types })).toThrow(
      'a layer of type linear_attention is not supported',
    )
    expect(() => windows({ sliding_window: 0 })).toThrow('sliding_window')
  })
})

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
