/** The load plan: how much memory a model needs, and what is said of one that does not fit. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { loadModel } from '../../src/main/engine/lm'
import { gpt2 } from '../../src/main/engine/lm/gpt2'
import { llama } from '../../src/main/engine/lm/llama'
import { droppableBytes, planLoad, requireRoom, writeBytes } from '../../src/main/engine/lm/load-plan'
import { memoryReport, openBackend, tf } from '../../src/main/engine/tf'
import { writeSafetensors } from '../../src/main/files/safetensors'

const CONFIG = { model_type: 'gpt2', n_embd: 4, n_layer: 1, n_head: 2, n_positions: 8, vocab_size: 50 }
const known = { dtype: 'float16', parameters: 0, weightBytes: 12 }

const planOf = (family: typeof gpt2, json: object, has: (name: string) => boolean = () => false) => {
  const model = family.parse(json)
  const shapes = model.shapes(has)
  return { plan: planLoad({ config: { ...model.facts, ...known }, shapes }), shapes }
}
const elementsOf = (shapes: Map<string, number[]>) =>
  [...shapes.values()].reduce((sum, shape) => sum + shape.reduce((product, length) => product * length, 1), 0)

afterEach(() => vi.restoreAllMocks())

describe('the plan', () => {
  it('counts every tensor as float32, and the transposed embedding of a tied model', () => {
    const { plan, shapes } = planOf(gpt2, CONFIG)
    expect(plan.memoryBytes).toBe(4 * (elementsOf(shapes) + 50 * 4))
    expect(plan.peakBytes).toBe(plan.memoryBytes + 4 * 50 * 4)
    expect(plan.weightBytes).toBe(12)
  })
  it('counts a head of its own once', () => {
    const untied = planOf(gpt2, { ...CONFIG, tie_word_embeddings: false })
    expect(untied.shapes.has('lm_head.weight')).toBe(true)
    expect(untied.plan.memoryBytes).toBe(4 * elementsOf(untied.shapes))
    expect(untied.plan.memoryBytes).toBe(planOf(gpt2, CONFIG).plan.memoryBytes)
  })
  it('says what this process may take', () => {
    vi.spyOn(process, 'availableMemory').mockReturnValue(1e15)
    expect(planOf(gpt2, CONFIG).plan.freeBytes).toBe(1e15)
  })
  it.each([
    [1, '1 MB'],
    [849_000_001, '850 MB'],
    [1e9, '1.0 GB'],
    [12_340_000_000, '12.3 GB'],
    [1_234_500_000_000, '1,234.5 GB'],
  ])('writes %d bytes as %s', (bytes, text) => {
    expect(writeBytes(bytes)).toBe(text)
  })
})

describe('cached files of a control group', () => {
  let root: string
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'monoscope-groups-'))
  })
  afterEach(() => rm(root, { recursive: true, force: true }))
  const put = async (folder: string, text: string) => {
    await mkdir(join(root, folder), { recursive: true })
    await writeFile(join(root, folder, 'memory.stat'), text)
  }
  const NEW = 'anon 9\nfile 700\ninactive_file 500\nactive_file 20\n'
  const OLD = 'cache 9\ninactive_file 1\nactive_file 1\ntotal_inactive_file 500\ntotal_active_file 30\n'

  it.each([
    { name: 'of version 2', own: '0::/job/7\n', folder: 'job/7', text: NEW, bytes: 520 },
    { name: 'seen from inside a container', own: '0::/job/7\n', folder: '.', text: NEW, bytes: 520 },
    {
      name: 'of version 1',
      own: '4:cpu,cpuacct:/a\n3:memory:/job/7\n0::/x\n',
      folder: 'memory/job/7',
      text: OLD,
      bytes: 530,
    },
    { name: 'of version 1 seen from inside', own: '3:memory:/job/7\n', folder: 'memory', text: OLD, bytes: 530 },
    { name: 'that nobody counts', own: '0::/job/7\n', folder: 'elsewhere', text: NEW, bytes: 0 },
    { name: 'of no group', own: '', folder: '.', text: NEW, bytes: 0 },
  ])('$name', async ({ own, folder, text, bytes }) => {
    await put(folder, text)
    expect(droppableBytes(own, root)).toBe(bytes)
  })
})

describe('a model that does not fit', () => {
  const large = {
    ...{ model_type: 'llama', hidden_size: 4096, intermediate_size: 14336, num_hidden_layers: 32 },
    ...{ num_attention_heads: 32, num_key_value_heads: 8, vocab_size: 128256, tie_word_embeddings: false },
  }
  const refusal = (work: () => void): string => {
    try {
      work()
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
    return 'it fits'
  }
  let folder: string
  beforeAll(() => openBackend('cpu'))
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'monoscope-plan-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('is refused with the numbers', () => {
    const { plan, shapes } = planOf(llama, large)
    expect(plan.memoryBytes).toBe(4 * 8_030_261_248)
    expect(refusal(() => requireRoom({ ...plan, freeBytes: 16e9 }, shapes))).toBe(
      'This model needs 34.2 GB of memory when loaded and 16.0 GB is free. Close other programs, or take a smaller model.',
    )
    expect(refusal(() => requireRoom({ ...plan, freeBytes: 64e9 }, shapes))).toBe('it fits')
  })
  it('is refused before any weight is read', async () => {
    const shapes = gpt2.parse(CONFIG).shapes(() => false)
    const zeros = Array.from(shapes, ([name, shape]) => {
      const data = new Float32Array(shape.reduce((product, length) => product * length, 1))
      return [name, { dtype: 'F32' as const, shape, data }] as const
    })
    await writeFile(join(folder, 'config.json'), JSON.stringify(CONFIG))
    await writeSafetensors(join(folder, 'model.safetensors'), Object.fromEntries(zeros))
    const { tensors } = memoryReport()
    vi.spyOn(process, 'availableMemory').mockReturnValue(1000)
    // Other systems than macOS, where half of all memory is taken for free.
    vi.spyOn(process, 'platform', 'get').mockReturnValue('linux')
    await expect(loadModel(folder)).rejects.toMatchObject({
      code: 'model-too-large',
      details: { needed: '1 MB', free: '1 MB' },
    })
    expect(memoryReport().tensors).toBe(tensors)
    vi.restoreAllMocks()
    const model = await loadModel(folder)
    model.dispose()
    expect(memoryReport().tensors).toBe(tensors)
  })
  it('has a tensor that cannot be indexed', () => {
    const shapes = new Map([['wte.weight', [4_000_000, 1000]]])
    const plan = { weightBytes: 0, memoryBytes: 0, peakBytes: 0, freeBytes: 1e15 }
    expect(refusal(() => requireRoom(plan, shapes))).toBe(
      'The tensor wte.weight has 4,000,000,000 elements, and 2,147,483,647 is the most that can be computed with. Take a smaller model.',
    )
  })
  describe('on wasm', () => {
    beforeAll(() => openBackend('wasm'))
    afterAll(() => openBackend('cpu'))
    it('is refused beyond its 4 GB, however much is free', () => {
      const { plan, shapes } = planOf(llama, { ...large, num_hidden_layers: 1 })
      expect(tf.getBackend()).toBe('wasm')
      expect(refusal(() => requireRoom({ ...plan, freeBytes: 1e12 }, shapes))).toBe(
        'This model needs 7.2 GB of memory when loaded, and the WebAssembly backend holds 4.3 GB at most. Set up the TensorFlow backend, or take a smaller model.',
      )
      expect(refusal(() => requireRoom({ ...plan, peakBytes: 4.2e9, freeBytes: 1e12 }, shapes))).toBe('it fits')
    })
  })
})
