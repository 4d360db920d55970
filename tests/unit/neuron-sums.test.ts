/** Correlations of features with neurons from made-up values: exact cases, what never changes, and the room they take. */
import { beforeAll, describe, expect, it } from 'vitest'
import { NeuronSums, neuronSumBytes } from '../../src/main/engine/measure/neuron-sums'
import { rHistogram } from '../../src/main/engine/measure/neurons'
import { tf } from '../../src/main/engine/tf'
import { neuronHooksBefore } from '../../src/shared/hooks'
import '@tensorflow/tfjs-backend-cpu'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

/** Columns of equal length as rows [rows, columns]. */
const rowsOf = (...columns: number[][]) =>
  Float32Array.from((columns[0] ?? []).flatMap((_, t) => columns.map((column) => column[t] ?? 0)))

const FIRES = [0, 1, 0, 2, 0, 3]

describe('NeuronSums', () => {
  it('finds r of 1, -1 and 0, and the first of equal ones, over layers of different widths', () => {
    const sums = new NeuronSums(1, [3, 1])
    const same = FIRES.map((value) => 5 * value - 0.5)
    const opposite = FIRES.map((value) => 4 - 2 * value)
    const unrelated = [1, 0, -1, 0, 0, 0]
    sums.add({ acts: rowsOf(FIRES), neurons: [rowsOf(unrelated, opposite, same), rowsOf(same)], rows: 6 })
    const found = sums.correlations(0)
    expect([...found].map((r) => Number(r.toFixed(6)))).toEqual([0, -1, 1, 1])
    expect(sums.best(0)).toEqual({ neuron: 1, r: found[1] })
    expect(sums.fired[0]).toBe(3)
  })

  it('gives 0 and never NaN for a constant neuron and for a feature that never fires', () => {
    const sums = new NeuronSums(2, [3])
    // 0.1 has no exact square: without care its variance would be a rounding error instead of 0.
    const constant = FIRES.map(() => 0.1)
    for (let block = 0; block < 50; block++) {
      const silent = FIRES.map(() => 0)
      sums.add({ acts: rowsOf(FIRES, silent), neurons: [rowsOf(constant, silent, [...FIRES].reverse())], rows: 6 })
    }
    expect([...sums.correlations(0)].slice(0, 2)).toEqual([0, 0])
    expect(sums.best(0)?.neuron).toBe(2)
    expect([...sums.correlations(1)]).toEqual([0, 0, 0])
    expect(sums.best(1)).toBeNull()
    // Nothing was read: still numbers.
    expect([...new NeuronSums(1, [2]).correlations(0)]).toEqual([0, 0])
  })

  it('keeps its digits where the mean of a neuron is a thousand times its spread', () => {
    const sums = new NeuronSums(1, [1])
    const far = FIRES.map((value) => 1000 + value / 4)
    for (let block = 0; block < 100; block++) sums.add({ acts: rowsOf(FIRES), neurons: [rowsOf(far)], rows: 6 })
    expect(sums.correlations(0)[0]).toBeCloseTo(1, 10)
  })

  it('does not depend on how the tokens are cut into blocks, beyond float32 products', () => {
    const random = (t: number) => Math.sin(12.9898 * t) * 43.7 - Math.floor(Math.sin(12.9898 * t) * 43.7)
    const rows = 5000
    const acts = Float32Array.from({ length: rows }, (_, t) => Math.max(0, random(t) - 0.8))
    const neurons = Float32Array.from({ length: rows }, (_, t) => random(t + 0.5) + (acts[t] ?? 0))
    const one = new NeuronSums(1, [1])
    one.add({ acts, neurons: [neurons.slice()], rows })
    const many = new NeuronSums(1, [1])
    for (let row = 0; row < rows; row += 13) {
      const end = Math.min(rows, row + 13)
      many.add({ acts: acts.slice(row, end), neurons: [neurons.slice(row, end)], rows: end - row })
    }
    expect(Math.abs((one.correlations(0)[0] ?? 0) - (many.correlations(0)[0] ?? 9))).toBeLessThan(1e-6)
  })

  it('takes as much memory as it says, however many tokens there are', () => {
    const sums = new NeuronSums(7, [11, 4])
    expect(sums.bytes).toBe(neuronSumBytes(7, 15))
    expect(neuronSumBytes(1000, 4096)).toBe(8 * 1000 * 4096 + 24 * 1000 + 20 * 4096)
    const block = () => ({ acts: new Float32Array(21), neurons: [new Float32Array(33), new Float32Array(12)], rows: 3 })
    sums.add(block())
    sums.add(block())
    expect(sums.bytes).toBe(neuronSumBytes(7, 15))
  })
})

it('counts |r| in bins that end at their upper border, so that the line at 0.3 lies between two', () => {
  const counts = rHistogram([0, 0.05, 0.0500001, 0.3, 0.3000001, 1])
  expect(counts).toHaveLength(20)
  expect(counts.slice(0, 2)).toEqual([2, 1])
  expect(counts.slice(5, 7)).toEqual([1, 1])
  expect(counts[19]).toBe(1)
})

it('knows which neurons come before a hook', () => {
  const layers = (hookName: string) => neuronHooksBefore(hookName).map((name) => Number(name.split('.')[1]))
  expect(neuronHooksBefore('blocks.1.hook_resid_post')).toEqual(['blocks.0.mlp.hook_post', 'blocks.1.mlp.hook_post'])
  expect(layers('blocks.2.hook_mlp_out')).toEqual([0, 1, 2])
  for (const site of ['hook_resid_pre', 'attn.hook_z', 'hook_attn_out', 'hook_resid_mid', 'mlp.hook_post']) {
    expect(layers(`blocks.2.${site}`)).toEqual([0, 1])
  }
  expect(layers('blocks.0.hook_resid_pre')).toEqual([])
  expect(layers('hook_embed')).toEqual([])
  expect(layers('nonsense')).toEqual([])
})
