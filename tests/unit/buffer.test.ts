/** The shuffle buffer and the windows that feed it. */
import { describe, expect, it } from 'vitest'
import { ShuffleBuffer } from '../../src/main/engine/train/buffer'
import type { VectorBlock } from '../../src/main/engine/train/buffer'
import { collectCorpus, cutDocument, isHeldOut, textTokens, windowCount } from '../../src/main/engine/train/contexts'
import { estimateScale, medianOf } from '../../src/main/engine/train/activations'
import { Random } from '../../src/main/engine/train/random'

const D_IN = 3

/** Vector t is (t, -t, 1); blocks of uneven size. */
function* counting(limit = Infinity): Generator<VectorBlock> {
  for (let at = 0, size = 1; at < limit; size = (size % 7) + 1) {
    const positions = Int32Array.from({ length: size }, (_, i) => at + i)
    yield { positions, vectors: Float32Array.from([...positions].flatMap((t) => [t, -t, 1])) }
    at += size
  }
}

function drawBatches(seed: number, count: number, rows = 8): number[][] {
  const buffer = new ShuffleBuffer({ capacity: 40, dIn: D_IN }, counting(), Random.fromSeed(seed))
  return Array.from({ length: count }, () => {
    const batch = new Float32Array(rows * D_IN)
    buffer.draw(batch)
    return Array.from({ length: rows }, (_, row) => {
      const t = batch[row * D_IN] ?? -1
      expect([...batch.subarray(row * D_IN, (row + 1) * D_IN)]).toEqual([t, t === 0 ? -0 : -t, 1])
      return t
    })
  })
}

describe('ShuffleBuffer', () => {
  it('hands out every token once, and none long after its time', () => {
    const drawn = drawBatches(1, 50).flat()
    expect(new Set(drawn).size).toBe(drawn.length)
    // 400 drawn; at most the 40 of the pool and one pending block were taken beyond that.
    expect(Math.max(...drawn)).toBeLessThan(447)
    const missing = Array.from({ length: 300 }, (_, t) => t).filter((t) => !drawn.includes(t))
    expect(missing.length).toBeLessThan(40)
  })

  it('mixes: the first batch is not the first tokens', () => {
    const [first = []] = drawBatches(2, 1)
    expect(first.toSorted((a, b) => a - b)).not.toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  it('is decided by the seed alone', () => {
    expect(drawBatches(3, 20)).toEqual(drawBatches(3, 20))
    expect(drawBatches(3, 20)).not.toEqual(drawBatches(4, 20))
  })

  it('tells what is in the pool and how much was taken', () => {
    const buffer = new ShuffleBuffer({ capacity: 40, dIn: D_IN }, counting(), Random.fromSeed(5))
    const batch = new Float32Array(8 * D_IN)
    buffer.draw(batch)
    const drawn = Array.from({ length: 8 }, (_, row) => batch[row * D_IN] ?? -1)
    const { pool, taken } = buffer.state
    expect(taken).toBe(40)
    expect([...pool.positions, ...drawn].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, t) => t))
  })
})

/** Batch t of a buffer, numbers only. */
function drawFrom(buffer: ShuffleBuffer): number[] {
  const batch = new Float32Array(8 * D_IN)
  buffer.draw(batch)
  return [...batch]
}

/** A source that can be told to begin behind some of its blocks. */
function countingFrom(blocks: number): { source: Iterator<VectorBlock>; given: () => number } {
  const source = counting()
  for (let i = 0; i < blocks; i++) source.next()
  let given = blocks
  return { source: { next: () => (given++, source.next()) }, given: () => given }
}

describe('a resumed ShuffleBuffer', () => {
  const shape = { capacity: 40, dIn: D_IN }
  it('hands out the same batches, wherever it was stopped', () => {
    const whole = new ShuffleBuffer(shape, counting(), Random.fromSeed(6))
    const expected = Array.from({ length: 40 }, () => drawFrom(whole))
    const places = Random.fromSeed(7)
    let [from, pendingMet] = [countingFrom(0), 0]
    let buffer = new ShuffleBuffer(shape, from.source, Random.fromSeed(6))
    const got: number[][] = []
    while (got.length < expected.length) {
      for (let left = 1 + places.int(3); left > 0; left--) got.push(drawFrom(buffer))
      // Through plain copies, as a file would hand them back.
      const state = structuredClone(buffer.state)
      pendingMet += state.pending.positions.length > 0 ? 1 : 0
      from = countingFrom(from.given())
      buffer = new ShuffleBuffer(shape, from.source, Random.fromSeed(99))
      buffer.restore(state)
    }
    expect(got.slice(0, expected.length)).toEqual(expected)
    expect(pendingMet).toBeGreaterThan(3)
  })

  it('refuses a state that does not fit it', () => {
    const buffer = new ShuffleBuffer(shape, counting(), Random.fromSeed(1))
    drawFrom(buffer)
    const state = structuredClone(buffer.state)
    const small = new ShuffleBuffer({ capacity: 16, dIn: D_IN }, counting(), Random.fromSeed(1))
    expect(() => small.restore(state)).toThrow('larger than the buffer')
    const wide = new ShuffleBuffer({ capacity: 40, dIn: 4 }, counting(), Random.fromSeed(1))
    expect(() => wide.restore(state)).toThrow('differ in number')
  })
})

const words = { encode: (text: string) => text.split(' ').filter(Boolean).map(Number) }
// eslint-disable-next-line @typescript-eslint/require-await -- the function under test takes any async source
async function* documents(lengths: number[]) {
  let token = 100
  for (const [index, length] of lengths.entries()) {
    yield { index, text: Array.from({ length }, () => token++).join(' ') }
  }
}

describe('windows', () => {
  it('start with BOS and go on where the last one ended', () => {
    const cut = [...cutDocument([1, 2, 3, 4, 5], { contextSize: 3, bosId: 9 })]
    expect(cut).toEqual([
      { ids: [9, 1, 2], start: 0 },
      { ids: [9, 3, 4], start: 2 },
      { ids: [9, 5], start: 4 },
    ])
    expect([...cutDocument([1, 2, 3], { contextSize: 3, bosId: null })]).toEqual([{ ids: [1, 2, 3], start: 0 }])
    expect([...cutDocument([], { contextSize: 3, bosId: 9 })]).toEqual([])
  })

  it('hold out about 5 % of the documents, whole, and lose no token', async () => {
    const lengths = Array.from({ length: 1000 }, (_, i) => 1 + (i % 9))
    const options = { contextSize: 5, bosId: 7, seed: 11, neededTokens: 1e9 }
    const { training, heldOut, cutShort } = await collectCorpus(documents(lengths), words, options)
    const held = new Set(heldOut.documents)
    expect(held.size).toBeGreaterThan(25)
    expect(held.size).toBeLessThan(80)
    for (const document of training.documents) expect(held.has(document)).toBe(false)
    for await (const document of documents(lengths)) {
      expect(isHeldOut(document, { seed: 11, rule: 2 })).toBe(held.has(document.index))
    }
    expect(cutShort).toBe(false)
    const total = lengths.reduce((sum, length) => sum + length, 0)
    expect(textTokens(training, options) + textTokens(heldOut, options)).toBe(total)
  })

  it('stop reading when there is enough', async () => {
    const lengths = new Array<number>(10_000).fill(10)
    const options = { contextSize: 11, bosId: 7, seed: 1, neededTokens: 5000 }
    const { training, cutShort } = await collectCorpus(documents(lengths), words, options)
    expect(cutShort).toBe(true)
    expect(textTokens(training, options)).toBeLessThan(12_000)
  })

  it('hold something out of very small datasets', async () => {
    const options = { contextSize: 5, bosId: 7, seed: 3, neededTokens: 1e9 }
    const two = await collectCorpus(documents([10, 10]), words, options)
    expect([windowCount(two.training) > 0, windowCount(two.heldOut) > 0]).toEqual([true, true])
    expect(new Set(two.heldOut.documents).size).toBe(1)
    const one = await collectCorpus(documents([400]), words, options)
    expect([windowCount(one.training), windowCount(one.heldOut)]).toEqual([95, 5])
  })
})

describe('estimateScale', () => {
  it('gives the mean square norm dIn without the sinks', () => {
    const norms = Float32Array.from({ length: 100 }, (_, i) => 1 + (i % 5))
    norms[17] = 1000
    const found = estimateScale(norms, 16)
    expect(found.sinks).toBe(1)
    expect(found.medianNorm).toBe(3)
    const kept = norms.filter((norm) => norm <= 30)
    const meanSquare = kept.reduce((sum, norm) => sum + (norm * found.scale) ** 2, 0) / kept.length
    expect(meanSquare).toBeCloseTo(16, 6)
    expect(medianOf(Float32Array.of(4, 1, 3, 2))).toBe(2)
  })
})
