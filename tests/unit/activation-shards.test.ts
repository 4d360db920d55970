/** Activations on disk: half precision, shards and their index, and the stream that a training draws them from. */
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  newIndex,
  readIndex,
  readShard,
  shardHolds,
  shardPath,
  writeIndex,
  writeShard,
} from '../../src/main/files/activation-shards'
import type { Shard } from '../../src/main/files/activation-shards'
import { narrowHalf, widenHalf } from '../../src/main/files/element-types'
import { Random } from '../../src/main/engine/train/random'
import { readVectors, rowsOf, scaleOf, ShardStream } from '../../src/main/engine/train/shard-stream'
import type { ShardSet } from '../../src/main/engine/train/shard-stream'
import { StreamPlace } from '../../src/main/engine/train/stream'
import { heldOutTokensFor, plannedTokens } from '../../src/shared/held-out'

const HOOK = 'blocks.1.hook_resid_post'
const D_IN = 3
const bits = new Uint32Array(1)
const value = new Float32Array(bits.buffer)
const halfOf = (number: number) => {
  value[0] = number
  return narrowHalf(bits[0] ?? 0)
}
const valueOf = (half: number) => {
  bits[0] = widenHalf(half)
  return value[0] ?? 0
}

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'monoscope-shards-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Rows whose first value is their number, so that they are told apart. */
function rowsFrom(first: number, count: number) {
  const vectors = new Uint16Array(count * D_IN)
  for (let at = 0; at < vectors.length; at++)
    vectors[at] = halfOf(at % D_IN === 0 ? first + at / D_IN : 0.25 * (at % 5))
  const positions = Int32Array.from({ length: count }, (_, i) => i)
  return { vectors, positions, documents: positions.map((position) => position + 100) }
}

async function put(name: string, at: number, rows: ReturnType<typeof rowsFrom>): Promise<Shard> {
  const file = `training-${String(at).padStart(5, '0')}.safetensors`
  const written = await writeShard(shardPath(join(folder, name), HOOK, file), rows, D_IN)
  const squares = rows.vectors.reduce((sum, half) => sum + valueOf(half) ** 2, 0)
  return { file, rows: rows.positions.length, sinks: at, squares, ...written }
}

/** Three shards of unequal size, an empty one among them. */
async function makeSet(name: string): Promise<ShardSet> {
  const shards = [
    await put(name, 0, rowsFrom(0, 5)),
    await put(name, 1, rowsFrom(5, 0)),
    await put(name, 2, rowsFrom(5, 2000)),
  ]
  return { folder: join(folder, name), hookName: HOOK, dIn: D_IN, shards }
}

describe('half precision', () => {
  it('comes back from every pattern', () => {
    for (let half = 0; half < 1 << 16; half++) {
      if ((half & 0x7c00) === 0x7c00 && (half & 0x3ff) !== 0) expect(valueOf(halfOf(valueOf(half)))).toBeNaN()
      else if (halfOf(valueOf(half)) !== half) expect(halfOf(valueOf(half))).toBe(half)
    }
  })

  it('is the nearest, the even one of two as near', () => {
    for (let half = 0; half < 0x7bff; half++) {
      const [low, high] = [valueOf(half), valueOf(half + 1)]
      const middle = (low + high) / 2
      const ulp = 2 ** (Math.floor(Math.log2(middle)) - 23)
      const even = half % 2 === 0 ? half : half + 1
      const found = [halfOf(middle - ulp), halfOf(middle), halfOf(middle + ulp), halfOf(-middle)]
      if (found.join() !== [half, even, half + 1, even | 0x8000].join()) {
        expect({ half, found }).toEqual({ half, found: [half, even, half + 1, even | 0x8000] })
      }
    }
    expect([65519, 65520, 1e30, Infinity].map(halfOf)).toEqual([0x7bff, 0x7c00, 0x7c00, 0x7c00])
    expect(valueOf(halfOf(Number.NaN))).toBeNaN()
  })
})

describe('a shard', () => {
  it('comes back as it was written', async () => {
    const rows = rowsFrom(7, 40)
    const shard = await put('whole', 0, rows)
    const path = shardPath(join(folder, 'whole'), HOOK, shard.file)
    expect(readShard(path, { ...shard, isTrusted: false }, D_IN)).toEqual(rows)
    expect(await shardHolds(path, shard)).toBe(true)
  })

  it('is refused once a byte of it has changed, is missing or is too many', async () => {
    const shard = await put('changed', 0, rowsFrom(7, 40))
    const path = shardPath(join(folder, 'changed'), HOOK, shard.file)
    const whole = await readFile(path)
    const other = Buffer.from(whole)
    other[whole.length - 3] = (other[whole.length - 3] ?? 0) ^ 1
    for (const bytes of [other, whole.subarray(0, -1), Buffer.concat([whole, whole])]) {
      await writeFile(path, bytes)
      expect(await shardHolds(path, shard)).toBe(false)
      const read = () => readShard(path, { ...shard, isTrusted: false }, D_IN)
      expect(read).toThrow(expect.objectContaining({ code: 'activations-changed', details: { path } }))
    }
    await rm(path)
    const read = () => readShard(path, { ...shard, isTrusted: false }, D_IN)
    expect(read).toThrow(expect.objectContaining({ code: 'file-missing' }))
    expect(await shardHolds(path, shard)).toBe(false)
  })

  it('is refused when the index tells of other rows, before anything is allocated for them', async () => {
    const shard = await put('rows', 0, rowsFrom(0, 4))
    const path = shardPath(join(folder, 'rows'), HOOK, shard.file)
    for (const lie of [{ rows: 5 }, { rows: 2 ** 40 }, { rows: 2 ** 40, bytes: 2 ** 45 }, { bytes: 2 ** 45 }]) {
      const read = () => readShard(path, { ...shard, ...lie, isTrusted: true }, D_IN)
      expect(read).toThrow(expect.objectContaining({ code: 'activations-changed' }))
    }
  })
})

describe('the index', () => {
  const facts = {
    ...{ model: { name: 'm', sha256: 'a' }, dataset: { name: 'd', sha256: 'b' }, textSha256: 'c'.repeat(64) },
    ...{ contextSize: 8, bosId: 1, dIn: D_IN, seed: 3, tokens: 10, trainingTokens: 10, heldOutTokens: 1 },
    ...{ trainingWindows: 2, windowsPerShard: 4, isComplete: false },
  }
  const hook = { hookName: HOOK, medianNorm: 1, sinkNorm: 10, sinkMedians: 10, estimatedTokens: 5 }

  it('comes back as it was written, and is null where there is none', async () => {
    const index = newIndex({ ...facts, hooks: [{ ...hook, training: [null], heldOut: [] }] })
    await writeIndex(join(folder, 'index'), index)
    expect(await readIndex(join(folder, 'index'))).toEqual(index)
    expect(await readIndex(join(folder, 'nowhere'))).toBeNull()
  })

  it.each([
    ['no JSON', () => '{'],
    ['another format', (text: string) => text.replace('activations-1', 'activations-9')],
    ['a hook that leads elsewhere', (text: string) => text.replace(HOOK, '../../elsewhere')],
    ['a file that leads elsewhere', (text: string) => text.replace('[null]', '[{"file":"../x.safetensors"}]')],
  ])('is refused with %s', async (_, spoil) => {
    const path = join(folder, 'damaged', 'index.json')
    const index = newIndex({ ...facts, hooks: [{ ...hook, training: [null], heldOut: [] }] })
    await writeIndex(join(folder, 'damaged'), index)
    await writeFile(path, spoil(await readFile(path, 'utf8')))
    await expect(readIndex(join(folder, 'damaged'))).rejects.toMatchObject({ code: 'file-corrupt', details: { path } })
  })
})

describe('the stream of shards', () => {
  const random = Random.fromSeed(5).state
  const take = (stream: ShardStream, count: number) =>
    Array.from({ length: count }, () => {
      const { vectors, positions } = stream.next().value
      return { vectors: [...vectors], positions: [...positions] }
    })

  it('hands out every row once a pass, scaled, in another order each time', async () => {
    const set = await makeSet('stream')
    const stream = new ShardStream(set, { scale: 0.5, random })
    const passes = [take(stream, 3), take(stream, 3)]
    const orders = passes.map((blocks) => blocks.flatMap(({ positions }) => positions))
    for (const [pass, order] of orders.entries()) {
      expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 2005 }, (_, row) => row))
      const vectors = passes[pass]?.flatMap(({ vectors }) => vectors) ?? []
      order.forEach((row, at) => {
        const exact = [0, 1, 2].map((j) => {
          const shardAt = (row < 5 ? row : row - 5) * D_IN + j
          return j === 0 ? valueOf(halfOf(row)) * 0.5 : 0.25 * (shardAt % 5) * 0.5
        })
        expect(vectors.slice(at * D_IN, (at + 1) * D_IN)).toEqual(exact)
      })
    }
    expect(orders[0]).not.toEqual(orders[1])
    expect(new Set(orders[0]?.slice(0, 100)).size).toBe(100)
  })

  it('goes on from any place with the same bits', async () => {
    const set = await makeSet('resume')
    const options = { scale: 0.5, random }
    const all = take(new ShardStream(set, options), 12)
    for (let stop = 0; stop < 10; stop++) {
      const first = new ShardStream(set, options)
      take(first, stop)
      const place = StreamPlace.parse(JSON.parse(JSON.stringify(first.place)))
      const second = new ShardStream(set, { scale: 0.5, random: Random.fromSeed(77).state })
      second.resume(place)
      expect(second.place).toEqual(place)
      expect(take(second, 12 - stop)).toEqual(all.slice(stop))
    }
  })

  it('refuses a place that is none of its own', async () => {
    const set = await makeSet('places')
    const stream = new ShardStream(set, { scale: 1, random })
    const place = { pass: 0, shardsDone: 0, rowsDone: 0, current: random }
    for (const wrong of [{ ...place, shardsDone: 4 }, { ...place, rowsDone: 5000 }, { ...place, pass: -1 }, 'x', {}]) {
      expect(() => stream.resume(wrong)).toThrow()
    }
  })

  it('names the file that has changed, and the row that holds no finite number', async () => {
    const set = await makeSet('bad')
    const [, , shard] = set.shards
    if (!shard) throw new Error('the third shard is there')
    const path = shardPath(set.folder, HOOK, shard.file)
    const bytes = await readFile(path)
    // The vectors come last: row 1998 of 2000.
    bytes.writeUInt16LE(0x7e00, bytes.length - 2 * D_IN * 2)
    await writeFile(path, bytes)
    const drain = (from: ShardSet) => () => take(new ShardStream(from, { scale: 1, random }), 4)
    expect(drain(set)).toThrow(expect.objectContaining({ code: 'activations-changed', details: { path } }))
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const forged = { ...set, shards: set.shards.map((one) => (one === shard ? { ...one, sha256 } : one)) }
    for (const read of [drain(forged), () => readVectors(forged, 1)]) {
      expect(read).toThrow(expect.objectContaining({ code: 'activations-invalid-shard', details: { path, row: 1998 } }))
    }
  })

  it('has the scale that makes mean ||x||^2 = dIn over what is stored', async () => {
    const set = await makeSet('scale')
    const none = { ...set, shards: [] }
    const { scale, sinks, tokens } = scaleOf({ training: set, heldOut: none }, { medianNorm: 1, sinkNorm: 10 })
    const vectors = readVectors(set, scale)
    const mean = vectors.reduce((sum, x) => sum + x * x, 0) / rowsOf(set)
    expect(mean).toBeCloseTo(D_IN, 5)
    expect({ sinks, tokens }).toEqual({ sinks: 3, tokens: 2008 })
  })
})

it('plans for what a dataset has', () => {
  expect(plannedTokens(1000, 1e6)).toEqual({ training: 1000, heldOut: 50 })
  expect(plannedTokens(10_000_000, 1e9)).toEqual({ training: 10_000_000, heldOut: 40_000 })
  expect(plannedTokens(1000, 400)).toEqual({ training: 380, heldOut: 20 })
  expect(heldOutTokensFor(100)).toBe(5)
})
