/** What is found out about a real model folder when it is added to a workspace. */
import { createHash } from 'node:crypto'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { inspectModel } from '../../src/main/engine/lm'
import { gpt2 } from '../../src/main/engine/lm/gpt2'
import { gptNeoX } from '../../src/main/engine/lm/gpt-neox'
import { writeSafetensors } from '../../src/main/files/safetensors'
import type { TensorToWrite } from '../../src/main/files/safetensors'
import { readPieces } from '../../src/main/files/pieces-file'
import { hashFiles } from '../../src/main/tasks/hash-files'
import { reportSkip, storiesFolder } from './goldens'

let folder: string

const stories = storiesFolder()
if (!stories) reportSkip('inspecting stories260K', 'the folder of the model is absent')

describe.skipIf(!stories)('inspecting a real folder', () => {
  const copied = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json']
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'monoscope-inspect-'))
    for (const file of copied) await copyFile(join(stories ?? '', file), join(folder, file))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))
  it('answers its facts and writes its pieces', async () => {
    const piecesFolder = join(folder, 'pieces')
    const info = await inspectModel({ path: folder, piecesFolder })
    const { sha256, ...facts } = info
    const { signal } = new AbortController()
    expect(await hashFiles({ kind: 'model', path: folder, part: 'content' }, signal)).toEqual({ sha256 })
    expect(facts).toEqual({
      family: 'llama',
      layers: 5,
      dModel: 64,
      heads: 8,
      vocabulary: 512,
      contextSize: 512,
      dtype: 'float32',
      parameters: 260032,
      weightBytes: 1040128,
      // float32 of every parameter, and the embedding once more as the head.
      memoryBytes: 1040128 + 512 * 64 * 4,
      absentHooks: [],
      unusedTensors: { count: 0, first: [] },
      nanTensors: { count: 0, first: [] },
      startTokens: { own: '<s>', bos: '<s>' },
      hasChatTemplate: false,
    })
    const bytes = await readFile(join(folder, 'model.safetensors'))
    expect(sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
    const pieces = await readPieces(join(piecesFolder, `${sha256}.safetensors`))
    expect(pieces.special.length).toBe(512)
  })
  it('refuses a tokenizer of another model', async () => {
    const config: unknown = JSON.parse(await readFile(join(folder, 'tokenizer.json'), 'utf8'))
    const { model, ...rest } = config as { model: { vocab: Record<string, number> } }
    const larger = { ...rest, model: { ...model, vocab: { ...model.vocab, more: 600 } } }
    await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(larger))
    await expect(inspectModel({ path: folder, piecesFolder: folder })).rejects.toMatchObject({
      code: 'tokenizer-mismatch',
      details: { largest: 600, vocabulary: 512 },
    })
  })
})

const GPT2 = { model_type: 'gpt2', n_embd: 4, n_layer: 2, n_head: 2, n_positions: 8, vocab_size: 5 }
const NEOX = {
  ...{ model_type: 'gpt_neox', hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 8 },
  ...{ vocab_size: 5, rotary_pct: 0.25, tie_word_embeddings: false },
}
const TOKENIZER = {
  ...{ version: '1.0', added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null },
  model: { type: 'BPE', vocab: { a: 0, b: 1 }, merges: [] },
}
const countOf = (shape: number[]) => shape.reduce((product, length) => product * length, 1)
const zeros = (shape: number[]): TensorToWrite => ({ dtype: 'F32', shape, data: new Float32Array(countOf(shape)) })
/** A 16-bit type, one element of which has the given pattern. */
const patterned = (dtype: 'F16' | 'BF16', shape: number[], pattern: number): TensorToWrite => {
  const data = new Uint16Array(countOf(shape))
  data[data.length - 1] = pattern
  return { dtype, shape, data }
}

describe('what is told of a folder', () => {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'monoscope-inspect-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  async function inspect(family: typeof gpt2, config: object, more: Record<string, TensorToWrite> = {}) {
    const shapes = Array.from(
      family.parse(config).shapes(() => true),
      ([name, shape]) => [name, zeros(shape)] as const,
    )
    await writeFile(join(folder, 'config.json'), JSON.stringify(config))
    await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(TOKENIZER))
    await writeSafetensors(join(folder, 'model.safetensors'), { ...Object.fromEntries(shapes), ...more })
    return inspectModel({ path: folder, piecesFolder: folder })
  }

  it('names tensors that are not used, but not old buffers nor the head of a tied model', async () => {
    const info = await inspect(gpt2, GPT2, {
      'h.0.attn.bias': zeros([1, 1, 8, 8]),
      'h.1.attn.masked_bias': zeros([]),
      'lm_head.weight': zeros([5, 4]),
      'h.2.ln_1.weight': zeros([4]),
      extra: { dtype: 'U8', shape: [1], data: new Uint8Array(1) },
    })
    expect(info.unusedTensors).toEqual({ count: 2, first: ['h.2.ln_1.weight', 'extra'] })
    expect(info.absentHooks).toEqual([])
  })
  it('names ten of many, and the hooks that parallel blocks do not have', async () => {
    const many = Object.fromEntries(Array.from({ length: 13 }, (_, i) => [`adapter.${i}`, zeros([1])]))
    const buffers = { 'layers.0.attention.rotary_emb.inv_freq': zeros([2]), 'layers.0.attention.bias': zeros([1]) }
    const info = await inspect(gptNeoX, NEOX, { ...many, ...buffers })
    expect(info.unusedTensors.count).toBe(13)
    expect(info.unusedTensors.first).toHaveLength(10)
    expect(info.absentHooks).toEqual(['hook_resid_mid'])
    // Its head is its own: nothing is transposed beside it.
    expect(info.memoryBytes).toBe(info.weightBytes)
  })
  it('warns of values that are no numbers, in every type, and of used tensors only', async () => {
    const nan = (shape: number[], value: number): TensorToWrite => {
      const data = new Float32Array(countOf(shape))
      data[data.length - 1] = value
      return { dtype: 'F32', shape, data }
    }
    const info = await inspect(gpt2, GPT2, {
      'h.0.ln_1.weight': nan([4], Number.NaN),
      'h.0.ln_1.bias': nan([4], Number.NEGATIVE_INFINITY),
      'h.0.ln_2.weight': patterned('F16', [4], 0x7c00),
      'h.0.ln_2.bias': patterned('BF16', [4], 0xff81),
      // The largest finite numbers of both types.
      'h.1.ln_1.weight': patterned('F16', [4], 0x7bff),
      'h.1.ln_1.bias': patterned('BF16', [4], 0xff7f),
      extra: nan([3], Number.NaN),
    })
    expect(info.nanTensors.count).toBe(4)
    expect([...info.nanTensors.first].sort()).toEqual([
      'h.0.ln_1.bias',
      'h.0.ln_1.weight',
      'h.0.ln_2.bias',
      'h.0.ln_2.weight',
    ])
  })
  it('reads tensors longer than one slice to their end, and hashes the same bytes', async () => {
    const wide = { ...GPT2, vocab_size: 600_001 }
    const data = new Float32Array(600_001 * 4)
    data[data.length - 1] = Number.NaN
    const info = await inspect(gpt2, wide, { 'wte.weight': { dtype: 'F32', shape: [600_001, 4], data } })
    expect(info.nanTensors).toEqual({ count: 1, first: ['wte.weight'] })
    const bytes = await readFile(join(folder, 'model.safetensors'))
    expect(info.sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
  })
})
