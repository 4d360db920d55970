/** Model folders, whole and damaged: what is said of each, before any weight is read. */
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { listHooks, loadModel, parseHook } from '../../src/main/engine/lm'
import { memoryReport, openBackend, tf } from '../../src/main/engine/tf'
import { writeSafetensors } from '../../src/main/files/safetensors'
import type { TensorToWrite } from '../../src/main/files/safetensors'

const CONFIG = {
  model_type: 'llama',
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  vocab_size: 11,
  max_position_embeddings: 64,
  tie_word_embeddings: true,
}

let folder: string
beforeAll(() => openBackend('cpu'))
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'monoscope-model-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Small fixed numbers, different in every tensor. */
function filled(shape: number[], salt: number): TensorToWrite {
  const count = shape.reduce((product, length) => product * length, 1)
  const data = Float32Array.from({ length: count }, (_, i) => Math.sin(i * 0.7 + salt) * 0.3)
  return { dtype: 'F32', shape, data }
}

/** Tensors of CONFIG under names with `prefix`. */
function weights(prefix = 'model.'): Record<string, TensorToWrite> {
  const shapes: [string, number[]][] = [['embed_tokens.weight', [11, 8]], ['norm.weight', [8]]] // prettier-ignore
  for (const layer of [0, 1]) {
    const [attention, mlp] = [`layers.${layer}.self_attn`, `layers.${layer}.mlp`]
    shapes.push(
      [`layers.${layer}.input_layernorm.weight`, [8]],
      [`layers.${layer}.post_attention_layernorm.weight`, [8]],
    )
    shapes.push([`${attention}.q_proj.weight`, [8, 8]], [`${attention}.o_proj.weight`, [8, 8]])
    shapes.push([`${attention}.k_proj.weight`, [4, 8]], [`${attention}.v_proj.weight`, [4, 8]])
    shapes.push(
      [`${mlp}.gate_proj.weight`, [12, 8]],
      [`${mlp}.up_proj.weight`, [12, 8]],
      [`${mlp}.down_proj.weight`, [8, 12]],
    )
  }
  return Object.fromEntries(shapes.map(([name, shape], i) => [prefix + name, filled(shape, i)]))
}

async function put(config: unknown, tensors: Record<string, TensorToWrite> | null = weights()): Promise<void> {
  await writeFile(join(folder, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config))
  if (tensors) await writeSafetensors(join(folder, 'model.safetensors'), tensors)
}

async function putShards(index: Record<string, string>, shards: Record<string, Record<string, TensorToWrite>>) {
  await put(CONFIG, null)
  await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: index }))
  for (const [file, tensors] of Object.entries(shards)) await writeSafetensors(join(folder, file), tensors)
}

async function logits(path: string): Promise<Float32Array> {
  const model = await loadModel(path)
  const { logits: result } = model.forward(tf.tensor2d([[1, 5, 3]], [1, 3], 'int32'))
  const values = await result!.data<'float32'>()
  result!.dispose()
  model.dispose()
  return values
}

describe('a whole folder', () => {
  it('gives the same model with and without prefix, in one file or in shards, with unknown buffers beside', async () => {
    await put(CONFIG)
    const plain = await logits(folder)
    expect(plain.every(Number.isFinite)).toBe(true)
    await put(CONFIG, { ...weights(''), 'rotary_emb.inv_freq': filled([4], 1) })
    expect(await logits(folder)).toEqual(plain)
    await rm(join(folder, 'model.safetensors'))
    const all = Object.entries(weights())
    const shards = {
      'a.safetensors': Object.fromEntries(all.slice(0, 7)),
      'b.safetensors': Object.fromEntries(all.slice(7)),
    }
    const index = Object.entries(shards).flatMap(([file, part]) =>
      Object.keys(part).map((name) => [name, file] as const),
    )
    await putShards(Object.fromEntries(index), shards)
    expect(await logits(folder)).toEqual(plain)
  })
  it('may have biases, an untied head, and a config that leaves tying to the files', async () => {
    const untold = { ...CONFIG, tie_word_embeddings: undefined }
    const biases: [string, number[]][] = []
    for (const layer of [0, 1]) {
      for (const [name, width] of [
        ['q', 8],
        ['k', 4],
        ['v', 4],
        ['o', 8],
      ] as const) {
        // prettier-ignore
        biases.push([`model.layers.${layer}.self_attn.${name}_proj.bias`, [width]])
      }
      for (const [name, width] of [
        ['gate', 12],
        ['up', 12],
        ['down', 8],
      ] as const) {
        biases.push([`model.layers.${layer}.mlp.${name}_proj.bias`, [width]])
      }
    }
    const extra = Object.fromEntries(biases.map(([name, shape], i) => [name, filled(shape, 40 + i)]))
    const tensors = { ...weights(), ...extra, 'lm_head.weight': filled([11, 8], 99) }
    await put({ ...untold, attention_bias: true, mlp_bias: true }, tensors)
    const biased = await logits(folder)
    await put(untold, tensors)
    const unbiased = await logits(folder)
    await put(CONFIG, tensors)
    const tied = await logits(folder)
    expect(biased).not.toEqual(unbiased)
    expect(unbiased).not.toEqual(tied)
  })
  it('is counted right, and leaves no tensor when disposed', async () => {
    await put(CONFIG)
    const ids = tf.tensor2d([[1, 2]], [1, 2], 'int32')
    const before = memoryReport().tensors
    const model = await loadModel(folder)
    const elements = Object.values(weights()).reduce((sum, { data }) => sum + data.length, 0)
    expect(model.config).toMatchObject({
      parameters: elements,
      weightBytes: elements * 4,
      dtype: 'float32',
      headDim: 4,
    })
    const run = model.forward(ids, { capture: model.hookNames() })
    expect(Object.keys(run.captured)).toEqual(model.hookNames())
    tf.dispose([run.captured, run.logits!])
    model.dispose()
    expect(memoryReport().tensors).toBe(before)
    ids.dispose()
  })
})

describe('hooks', () => {
  it('are parsed, listed and refused', async () => {
    expect(parseHook('blocks.12.hook_resid_post')).toEqual({ layer: 12, site: 'hook_resid_post' })
    expect(parseHook('hook_embed')).toEqual({ layer: -1, site: 'hook_embed' })
    for (const name of ['', 'blocks.1', 'blocks.-1.hook_resid_post', 'blocks.01.hook_resid_post', 'blocks.1.hook_x']) {
      expect(parseHook(name)).toBeNull()
    }
    for (const name of listHooks(3)) expect(parseHook(name)).not.toBeNull()
    await put(CONFIG)
    const model = await loadModel(folder)
    const ids = tf.tensor2d([[1]], [1, 1], 'int32')
    expect(() => model.forward(ids, { capture: ['blocks.2.hook_resid_post'] })).toThrow(
      'The hook point blocks.2.hook_resid_post does not exist in this model. Use one of blocks.0 to blocks.1 with hook_resid_pre, hook_resid_mid or hook_resid_post.',
    )
    model.dispose()
  })
  it('stop a pass as soon as they are reached, whichever they are', async () => {
    await put(CONFIG)
    const model = await loadModel(folder)
    const ids = tf.tensor2d([[1, 2, 3]], [1, 3], 'int32')
    const full = model.forward(ids, { capture: model.hookNames() })
    for (const [i, stopAfter] of model.hookNames().entries()) {
      const { logits: none, captured } = model.forward(ids, { capture: model.hookNames(), stopAfter })
      expect(none).toBeNull()
      expect(Object.keys(captured)).toEqual(model.hookNames().slice(0, i + 1))
      expect(await captured[stopAfter]!.data()).toEqual(await full.captured[stopAfter]!.data())
    }
    model.dispose()
  })
  it('refuse an intervention that changes the shape', async () => {
    await put(CONFIG)
    const model = await loadModel(folder)
    const intervene = { hook_embed: (x: tf.Tensor) => tf.sum(x) }
    expect(() => model.forward(tf.tensor2d([[1]], [1, 1], 'int32'), { intervene })).toThrow('changed [1,1,8] to []')
    model.dispose()
  })
})

describe('a damaged folder', () => {
  const says = (sentence: string) => expect(loadModel(folder)).rejects.toThrow(sentence)
  const configSays = (reason: string) =>
    says(`The file ${join(folder, 'config.json')} does not describe a model: ${reason}. Take config.json`)

  const configSaysPart = (reason: string) =>
    says(`The file ${join(folder, 'config.json')} does not describe a model: ${reason}`)

  it('has no config.json', () => says(`The folder ${folder} has no config.json, so it is not the folder of a model.`))
  it.each([
    ['{', 'it does not parse'],
    ['[]', 'the whole: invalid input: expected object, received array'],
    ['{}', 'model_type: invalid input: expected string, received undefined'],
  ])('has %j for a config', async (text, reason) => {
    await put(text)
    await configSays(reason)
  })
  it('is of an unknown family', async () => {
    await put({ ...CONFIG, model_type: 'mamba' })
    await says(
      'The model type "mamba" is not supported. Supported types: gpt2, gpt_neo, gpt_neox, llama, mistral, qwen2, qwen3, phi3, gemma2, gemma3_text, gemma3.',
    )
  })
  it.each([
    [{ hidden_size: 0 }, 'hidden_size: too small'],
    [{ num_hidden_layers: 1e9 }, 'num_hidden_layers: too big'],
    [{ vocab_size: 'many' }, 'vocab_size: invalid input: expected number, received string'],
    [{ hidden_act: 'gelu' }, 'the activation gelu is not supported'],
    [{ rope_scaling: { rope_type: 'yarn', factor: 2 } }, 'rope_scaling of type yarn is not supported'],
    [{ rope_scaling: { rope_type: 'llama3', factor: 2 } }, 'rope_scaling of type llama3 lacks its numbers'],
    [{ quantization_config: { bits: 4 } }, 'quantised weights are not supported'],
  ])('has a config with %j', async (change, reason) => {
    await put({ ...CONFIG, ...change })
    await configSaysPart(reason)
  })
  it.each([
    [{ num_key_value_heads: 3 }, '2 heads cannot share 3 key heads'],
    [{ hidden_size: 9 }, 'a width of 9 cannot be shared by 2 heads'],
    [{ head_dim: 5 }, 'a head of width 5 cannot be rotated'],
    [{ model_type: 'gpt_neox', num_attention_heads: 3 }, 'a width of 8 cannot be shared by 3 heads'],
    [{ model_type: 'phi3', num_key_value_heads: 3 }, '2 heads cannot share 3 key heads'],
  ])('has heads that cannot be with %j', async (change, reason) => {
    await put({ ...CONFIG, ...change })
    const path = join(folder, 'config.json')
    await expect(loadModel(folder)).rejects.toMatchObject({ code: 'model-heads-invalid', details: { path, reason } })
  })
  it('has no weights', async () => {
    await put(CONFIG, null)
    await says(`The file ${join(folder, 'model.safetensors')} does not exist.`)
  })
  it('lacks tensors', async () => {
    const lost = ['model.norm.weight', 'model.layers.1.mlp.up_proj.weight']
    const rest = Object.fromEntries(Object.entries(weights()).filter(([name]) => !lost.includes(name)))
    await put(CONFIG, rest)
    await says(`The weights in ${folder} lack 2 tensors, the first is layers.1.mlp.up_proj.weight.`)
  })
  it('has weights of another width', async () => {
    await put({ ...CONFIG, intermediate_size: 16 })
    await says(
      'The tensor model.layers.0.mlp.gate_proj.weight has shape [12, 8], but config.json asks for [16, 8]. Weights and config must come from one model.',
    )
  })
  it('has integers for weights', async () => {
    const norm: TensorToWrite = { dtype: 'I32', shape: [8], data: new Int32Array(8) }
    await put(CONFIG, { ...weights(), 'model.norm.weight': norm })
    await says('the tensor norm.weight has the type I32; use F32, F16 or BF16 weights')
  })
  it('has weights that end early', async () => {
    await put(CONFIG)
    await truncate(join(folder, 'model.safetensors'), 3000)
    await expect(loadModel(folder)).rejects.toMatchObject({ code: 'file-truncated', details: { actual: 3000 } })
  })
  it('has an index that names a missing file', async () => {
    await putShards({ 'model.norm.weight': 'gone.safetensors' }, {})
    await says(`The file ${join(folder, 'gone.safetensors')} does not exist.`)
  })
  it('has an index that disagrees with its shard', async () => {
    await putShards({ 'model.norm.weight': 'a.safetensors' }, { 'a.safetensors': { other: filled([1], 0) } })
    await says(`The weights in ${folder} lack 1 tensors, the first is model.norm.weight.`)
  })
  it.each(['../a.safetensors', '/etc/a.safetensors', 'a\\b.safetensors', 'weights.bin'])(
    'has an index that leads to %s',
    async (file) => {
      await putShards({ 'model.norm.weight': file }, {})
      await says(`is not a valid JSON file: ${file} is not the name of a weight file.`)
    },
  )
})
