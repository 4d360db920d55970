/** The training of the demo's model: gradients against finite differences, what a step leaves behind, and going on from a file. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { beginTraining, judge, trainingStep } from '../../scripts/demo/model-training'
import { crossEntropyOf, initialParameters, lossAndGradients } from '../../scripts/demo/trainable-model'
import { readState, writeState } from '../../scripts/demo/training-state'
import { memoryReport, openBackend, tf } from '../../src/main/engine/tf'
import { Random } from '../../src/main/engine/train/random'

await openBackend('cpu')
const folder = mkdtempSync(join(tmpdir(), 'demo-model-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const VOCABULARY = 24
const JSON_OF_MODEL = {
  ...{ model_type: 'llama', vocab_size: VOCABULARY, hidden_size: 8, intermediate_size: 12, num_hidden_layers: 2 },
  ...{ num_attention_heads: 2, max_position_embeddings: 300, rms_norm_eps: 1e-5, tie_word_embeddings: true },
  ...{ bos_token_id: 0 },
}
const parametersOf = () => initialParameters(JSON_OF_MODEL, Random.fromSeed(3))
/** Ids in which each follows from the one before. */
const counting = Uint16Array.from({ length: 2000 }, (_, at) => 1 + (at % (VOCABULARY - 1)))

describe('the loss of next tokens', () => {
  it('is the mean of -log softmax at the targets, and its gradient softmax - onehot', () => {
    const values = [
      [1, 2, 0.5],
      [-1, 0, 3],
    ]
    const targets = Int32Array.of(1, 2)
    const probability = (row: number[], at: number) =>
      Math.exp(row[at] ?? 0) / row.reduce((sum, value) => sum + Math.exp(value), 0)
    const expected = -values.reduce((sum, row, i) => sum + Math.log(probability(row, targets[i] ?? 0)), 0) / 2
    const { value, grad } = tf.valueAndGrad((x) => crossEntropyOf(tf.reshape<tf.Rank.R2>(x, [2, 3]), targets))(
      tf.tensor2d(values),
    )
    expect(value.dataSync()[0]).toBeCloseTo(expected, 6)
    const gradient = values.flatMap((row, i) =>
      row.map((_, at) => (probability(row, at) - (at === targets[i] ? 1 : 0)) / 2),
    )
    Array.from(grad.dataSync()).forEach((got, i) => expect(got).toBeCloseTo(gradient[i] ?? 0, 6))
  })

  it('has the gradient that finite differences give, for every tensor of the model', () => {
    const parameters = parametersOf()
    const texts = { ids: Int32Array.from([0, 3, 5, 7, 2, 9, 0, 4, 4, 1, 23, 6]), rows: 2 }
    const { gradients } = lossAndGradients(JSON_OF_MODEL, parameters, texts)
    for (const [name, { data }] of parameters) {
      // The steepest value, where rounding matters least.
      const gradient = gradients.get(name)?.data ?? new Float32Array()
      const at = gradient.reduce((best, g, i) => (Math.abs(g) > Math.abs(gradient[best] ?? 0) ? i : best), 0)
      const held = data[at] ?? 0
      const step = 0.01
      const lossAt = (value: number) => {
        data[at] = value
        return lossAndGradients(JSON_OF_MODEL, parameters, texts).loss
      }
      const slope = (lossAt(held + step) - lossAt(held - step)) / (2 * step)
      data[at] = held
      const found = gradient[at] ?? 0
      expect(Math.abs(found), name).toBeGreaterThan(1e-4)
      expect(Math.abs(found - slope) / Math.abs(slope), name).toBeLessThan(0.02)
    }
  })
})

describe('the training', () => {
  it('learns to count, and leaves no tensor behind', () => {
    const state = beginTraining(parametersOf())
    const before = judge(JSON_OF_MODEL, state.parameters, counting, 2)
    const { tensors } = memoryReport()
    for (let step = 0; step < 25; step++) trainingStep(JSON_OF_MODEL, state, { ids: counting, rows: 1, rate: 0.02 })
    expect(memoryReport().tensors).toBe(tensors)
    const after = judge(JSON_OF_MODEL, state.parameters, counting, 2)
    expect(before).toBeGreaterThan(2.5)
    expect(after).toBeLessThan(before / 2)
  })

  it('goes on from a file as if it had never stopped', async () => {
    const step = { ids: counting, rows: 1, rate: 0.01 }
    const whole = beginTraining(parametersOf())
    trainingStep(JSON_OF_MODEL, whole, step)
    trainingStep(JSON_OF_MODEL, whole, step)
    const first = beginTraining(parametersOf())
    trainingStep(JSON_OF_MODEL, first, step)
    await writeState(folder, first)
    const second = await readState(folder)
    if (!second) throw new Error('no state was written')
    trainingStep(JSON_OF_MODEL, second, step)
    expect(second).toEqual(whole)
  })
})
