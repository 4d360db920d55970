/** Search by prompt combinations against brute force. */
import { expect, it } from 'vitest'
import { searchPrompts } from '../../src/main/engine/measure/prompt-search'
import { createSae } from '../../src/main/engine/sae/loaded'
import { memoryReport } from '../../src/main/engine/tf'
import { TOY, toyActs, toyModel, toyResid, toyTable, toyTokenizer, toyWeights } from './toy-model'

const maxActivations = Float32Array.from({ length: TOY.dSae }, (_, i) => (i === 4 ? 0 : 1 + i / 3))

function actsOf(text: string): number[] {
  const ids = [TOY.bosId, ...toyTokenizer.encode(text)]
  return toyActs(toyResid(toyTable(), ids, ids.length - 1))
}

function setUp() {
  const model = toyModel()
  const sae = createSae({ architecture: 'standard', dIn: TOY.dIn, dSae: TOY.dSae, weights: toyWeights() }, '')
  const tokens = { bosId: TOY.bosId, specialIds: new Set<number>(), sinkNorm: null, contextSize: TOY.contextSize }
  const reader = { model, hookName: TOY.hookName, ...tokens, encode: toyTokenizer.encode }
  return {
    search: (prompts: { text: string; positive: boolean }[], allowed = new Uint8Array(TOY.dSae).fill(1), limit = 100) =>
      searchPrompts(reader, sae, { prompts, maxActivations, allowed, limit }),
    dispose: () => {
      sae.dispose()
      model.dispose()
    },
  }
}

const positive = (text: string) => ({ text, positive: true })
const negative = (text: string) => ({ text, positive: false })

/** All pairs of positives with one negative over single tokens. */
const questions = [7, 8, 9, 10, 11, 12].flatMap((a) =>
  [20, 21, 22].map((b) => [positive(`3 ${a}`), positive(`4 6 ${b}`), negative(`${a} ${b} ${30 + (a % 5)}`)]),
)

export function searchCase(): void {
  it('finds exactly the features above zero on all positives and on no negative, best first', async () => {
    const { search, dispose } = setUp()
    const before = memoryReport().tensors
    let found = 0
    for (const prompts of questions) {
      const acts = prompts.map(({ text }) => actsOf(text))
      const expected = Array.from({ length: TOY.dSae }, (_, i) => i).filter((i) =>
        prompts.every(({ positive }, p) => (acts[p]?.[i] ?? 0) > 0 === positive),
      )
      const answer = await search(prompts)
      expect([...answer.featureIndexes].toSorted((a, b) => a - b)).toEqual(expected)
      expect(answer.matching).toBe(expected.length)
      answer.featureIndexes.forEach((feature, hit) => {
        const values = acts.map((prompt) => prompt[feature] ?? 0)
        const own = maxActivations[feature] ?? 0
        const largest = own > 0 ? own : Math.max(...values)
        expect(answer.scores[hit]).toBeCloseTo(Math.min(values[0] ?? 0, values[1] ?? 0) / largest, 4)
        values.forEach((value, p) => expect(answer.values[hit * 3 + p]).toBeCloseTo(value, 4))
      })
      for (let hit = 1; hit < answer.scores.length; hit++) {
        expect(answer.scores[hit]).toBeLessThanOrEqual(answer.scores[hit - 1] ?? 0)
      }
      found += expected.length
    }
    expect(found).toBeGreaterThan(10)
    expect(memoryReport().tensors).toBe(before)
    dispose()
  })

  it('leaves out what is not allowed and caps the list', async () => {
    const { search, dispose } = setUp()
    const all = await search([positive('3 7')])
    expect(all.featureIndexes.length).toBeGreaterThan(3)
    const allowed = new Uint8Array(TOY.dSae).fill(1)
    const banned = all.featureIndexes[0] ?? 0
    allowed[banned] = 0
    const fewer = await search([positive('3 7')], allowed, 2)
    expect(fewer.matching).toBe(all.matching - 1)
    expect([...fewer.featureIndexes]).toEqual([...all.featureIndexes.subarray(1, 3)])
    expect([...(all.promptIds[0] ?? [])]).toEqual([TOY.bosId, 3, 7])
    dispose()
  })

  it('refuses empty and overlong prompts', async () => {
    const { search, dispose } = setUp()
    await expect(search([positive('  ')])).rejects.toThrow(expect.objectContaining({ code: 'prompt-empty' }))
    const long = new Array(TOY.contextSize).fill(3).join(' ')
    await expect(search([positive(long)])).rejects.toThrow(
      expect.objectContaining({ code: 'prompt-too-long', details: { tokens: 25, limit: 24 } }),
    )
    dispose()
  })
}
