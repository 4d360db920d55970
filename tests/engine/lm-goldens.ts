/** The language-model fixtures on one backend: every tensor, gradients, steering, decoding and causality. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { crossEntropy, generate, gradientAtHook, loadModel } from '../../src/main/engine/lm'
import type { LanguageModel } from '../../src/main/engine/lm'
import { memoryReport, tf } from '../../src/main/engine/tf'
import type { StoredTensor } from '../../src/main/files/safetensors'
import { meanOf, readTensors, relativeError, report } from './goldens'
import { expectEqualGradients, expectSameTogether, paddingError, slopeError } from './lm-operations'

const LIMIT = 1e-4

const Expected = z.object({
  n_layers: z.int(),
  hook_layer: z.int(),
  sequences: z.array(
    z.object({
      name: z.string(),
      input_ids: z.array(z.int()),
      mean_ce: z.number(),
      grad: z.object({ t: z.int(), a: z.int(), b: z.int(), logit_diff: z.number() }),
    }),
  ),
  greedy: z.object({ prompt: z.string(), tokens: z.array(z.int()), steered_tokens: z.array(z.int()) }),
})
type Sequence = z.infer<typeof Expected>['sequences'][number]

/** Hook of each expected tensor, in the order in which the first layer that is off should be named. */
const HOOKS = [
  ['attn', 'attn.hook_pattern'],
  ['attn_out', 'hook_attn_out'],
  ['resid_mid', 'hook_resid_mid'],
  ['mlp_post', 'mlp.hook_post'],
  ['mlp_out', 'hook_mlp_out'],
  ['resid_post', 'hook_resid_post'],
] as const

export const idsTensor = (ids: readonly number[]) => tf.tensor2d([[...ids]], [1, ids.length], 'int32')

/** Expected tensors of one fixture, and which of them were compared so far. */
class Fixture {
  readonly compared = new Set<string>()
  worst = 0

  constructor(readonly tensors: Map<string, StoredTensor>) {}

  floats(name: string): Float32Array<ArrayBuffer> {
    const data = this.tensors.get(name)?.data
    if (!(data instanceof Float32Array)) throw new Error(`the fixture has no float tensor ${name}`)
    return data
  }

  compare(name: string, got: ArrayLike<number>): void {
    const error = relativeError(got, this.floats(name))
    this.compared.add(name)
    this.worst = Math.max(this.worst, error)
    expect(error, `relative error of ${name}`).toBeLessThan(LIMIT)
  }
}

function expectedHooks(fixture: Fixture, sequence: string, layers: number): [string, string][] {
  const wanted: [string, string][] = [[`${sequence}.embed`, 'hook_embed']]
  for (let layer = 0; layer < layers; layer++) {
    for (const [kind, site] of HOOKS) wanted.push([`${sequence}.${kind}.${layer}`, `blocks.${layer}.${site}`])
  }
  return wanted.filter(([name]) => fixture.tensors.has(name))
}

async function compareForward(model: LanguageModel, fixture: Fixture, { name, input_ids, mean_ce }: Sequence) {
  const hooks = expectedHooks(fixture, name, model.config.layers)
  const ids = idsTensor(input_ids)
  const { logits, captured } = model.forward(ids, { capture: hooks.map(([, hook]) => hook) })
  for (const [tensor, hook] of hooks) fixture.compare(tensor, (await captured[hook]?.data()) ?? [])
  if (!logits) throw new Error('no logits')
  fixture.compare(`${name}.logits`, await logits.data())
  const ce = crossEntropy(logits, ids)
  const nats = await ce.data()
  fixture.compare(`${name}.ce`, nats)
  expect(Math.abs(meanOf(nats) - mean_ce)).toBeLessThan(LIMIT)
  tf.dispose([ids, logits, ce, captured])
}

async function compareGradient(
  model: LanguageModel,
  fixture: Fixture,
  { name, input_ids, grad }: Sequence,
  hook: string,
) {
  const ids = idsTensor(input_ids)
  const at = (logits: tf.Tensor3D, id: number) => tf.reshape(tf.slice(logits, [0, grad.t, id], [1, 1, 1]), [])
  const difference = (logits: tf.Tensor3D): tf.Scalar => tf.sub(at(logits, grad.a), at(logits, grad.b))
  const gradient = gradientAtHook(model, ids, hook, difference)
  const values = await gradient.data()
  fixture.compare(`${name}.grad`, values)
  expect(values.subarray((grad.t + 1) * model.config.dModel).every((value) => value === 0)).toBe(true)
  const value = tf.tidy(() => difference(model.forward(ids).logits ?? tf.zeros([1, 1, 1])))
  expect(Math.abs((await value.data())[0]! - grad.logit_diff)).toBeLessThan(LIMIT)
  tf.dispose([ids, gradient, value])
}

async function compareSteered(model: LanguageModel, fixture: Fixture, { name, input_ids }: Sequence, hook: string) {
  const ids = idsTensor(input_ids)
  const steer = tf.tensor1d(fixture.floats('steer_vector'))
  const { logits } = model.forward(ids, { intervene: { [hook]: (x) => tf.add(x, steer) } })
  fixture.compare(`${name}.steered_logits`, (await logits?.data()) ?? [])
  const { captured } = model.forward(ids, { capture: [hook], stopAfter: hook })
  const moved = tf.add(captured[hook]!, steer)
  const tail = model.fromResid(moved as tf.Tensor3D, model.requireHook(hook).layer)
  fixture.compare(`${name}.steered_logits`, await tail.data())
  tf.dispose([ids, steer, captured, moved, tail, ...(logits ? [logits] : [])])
}

/** Logits of `ids` at the first `positions`. */
async function logitsOf(model: LanguageModel, ids: number[][], positions: number): Promise<Float32Array> {
  const wanted = tf.tidy(() => {
    const { logits } = model.forward(tf.tensor2d(ids, undefined, 'int32'))
    return tf.slice(logits!, [0, 0, 0], [1, positions, model.config.vocabulary])
  })
  const values = await wanted.data<'float32'>()
  wanted.dispose()
  return values
}

/** Registers the tests of one fixture folder on the backend that is open. */
export function testModelFixture(folder: string, fixtureName: string, backend: string): void {
  describe(`${fixtureName} on ${backend}`, () => {
    const expected = Expected.parse(JSON.parse(readFileSync(join(folder, fixtureName, 'expected.json'), 'utf8')))
    const hook = `blocks.${expected.hook_layer}.hook_resid_post`
    const [first] = expected.sequences
    if (!first) throw new Error('the fixture has no sequence')
    let model: LanguageModel
    let fixture: Fixture
    beforeAll(async () => {
      model = await loadModel(join(folder, fixtureName))
      fixture = new Fixture(await readTensors(join(folder, fixtureName, 'expected.safetensors')))
    })
    afterAll(() => model.dispose())

    it.each(expected.sequences)('computes every hook, logits and cross-entropy of $name', async (sequence) => {
      await compareForward(model, fixture, sequence)
    })
    it.each(expected.sequences)('differentiates and steers $name at the hook', async (sequence) => {
      await compareGradient(model, fixture, sequence, hook)
      await compareSteered(model, fixture, sequence, hook)
    })
    it.each([true, false])('decodes greedily, key/value cache %s', async (kvCache) => {
      const { tokens, steered_tokens: steered } = expected.greedy
      expect(await generate(model, first.input_ids, tokens.length, { kvCache })).toEqual(tokens)
      const steer = tf.tensor1d(fixture.floats('steer_vector'))
      const intervene = { [hook]: (x: tf.Tensor) => tf.add(x, steer) }
      expect(await generate(model, first.input_ids, steered.length, { kvCache, intervene })).toEqual(steered)
      steer.dispose()
    })
    it('lets no later token, and no padding beside a longer text, change earlier logits', async () => {
      const ids = first.input_ids
      const changed = [...ids.slice(0, -1), (ids.at(-1)! + 1) % model.config.vocabulary]
      const seen = ids.length - 1
      const before = await logitsOf(model, [ids], seen)
      expect(relativeError(await logitsOf(model, [changed], seen), before)).toBeLessThan(1e-6)
      const short = expected.sequences.at(-1)!.input_ids
      const padded = [...short, ...Array<number>(ids.length - short.length).fill(0)]
      const alone = await logitsOf(model, [short], short.length)
      expect(relativeError(await logitsOf(model, [padded, ids], short.length), alone)).toBeLessThan(LIMIT)
    })
    it.each([true, false])(
      'continues texts of unequal length together as alone, key/value cache %s',
      async (kvCache) => {
        const prompts = expected.sequences.map(({ input_ids }) => input_ids)
        await expectSameTogether(model, prompts, { hook, kvCache })
        const shortest = prompts.at(-1)!
        expect(await paddingError(model, shortest, first.input_ids)).toBeLessThan(1e-5)
      },
    )
    it('has gradients at every hook of a block, and they agree', async () => {
      const ids = idsTensor(expected.sequences.at(-1)!.input_ids)
      await expectEqualGradients(model, ids, expected.hook_layer)
      const sites = model.hookNames().filter((name) => name === 'hook_embed' || name.startsWith('blocks.0.'))
      for (const name of sites) expect(await slopeError(model, ids, name), name).toBeLessThan(0.02)
      ids.dispose()
    })
    it('gives the same at a hook when only the blocks up to it are loaded, and nothing after it', async () => {
      const before = memoryReport().tensors
      const part = await loadModel(join(folder, fixtureName), expected.hook_layer + 1)
      const ids = idsTensor(first.input_ids)
      const options = { capture: [hook], stopAfter: hook }
      const [whole, partial] = [model, part].map((one) => one.forward(ids, options).captured[hook]!)
      expect(await partial!.data()).toEqual(await whole!.data())
      if (expected.hook_layer + 1 < model.config.layers) expect(() => part.forward(ids)).toThrow('first')
      part.dispose()
      tf.dispose([ids, whole!, partial!])
      expect(memoryReport().tensors).toBe(before)
    })
    it('leaves no tensor behind', async () => {
      const before = memoryReport().tensors
      await compareForward(model, fixture, first)
      await compareGradient(model, fixture, first, hook)
      await generate(model, first.input_ids, 3)
      expect(memoryReport().tensors).toBe(before)
    })
    it('has compared every tensor of the fixture', () => {
      const inputs = ['steer_vector', ...expected.sequences.map(({ name }) => `${name}.input_ids`)]
      const unread = [...fixture.tensors.keys()].filter((name) => !fixture.compared.has(name) && !inputs.includes(name))
      report(fixtureName, backend, { tensors: fixture.compared.size, worst: fixture.worst })
      expect(unread).toEqual([])
    })
  })
}
