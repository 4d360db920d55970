/** safetensors files with random damage: always an error with a code or a file that reads, and no allocation beyond the file. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { openSafetensors } from '../../src/main/files/safetensors'
import { AppError } from '../../src/shared/errors'
import { damaged } from '../fixtures/mutate'

let folder: string
let path: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'monoscope-damage-'))
  path = join(folder, 'x.safetensors')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Bytes that typed arrays were made of, by anyone, since the last reset. */
let allocated = 0
const counting = <T extends { readonly BYTES_PER_ELEMENT: number; new (...args: never[]): object }>(type: T): T =>
  new Proxy(type, {
    construct(target, args: unknown[]) {
      if (typeof args[0] === 'number') allocated += args[0] * target.BYTES_PER_ELEMENT
      const made: unknown = Reflect.construct(target, args)
      return made as object
    },
  })
beforeEach(() => {
  for (const type of [Uint8Array, Float32Array, Float64Array, Int32Array, BigInt64Array, Uint16Array, Uint32Array]) {
    vi.stubGlobal(type.name, counting(type))
  }
})
afterEach(() => vi.unstubAllGlobals())

const HEADER = {
  __metadata__: { format: 'pt' },
  'model.norm.weight': { dtype: 'F32', shape: [8], data_offsets: [0, 32] },
  'model.embed.weight': { dtype: 'BF16', shape: [4, 3], data_offsets: [32, 56] },
  half: { dtype: 'F16', shape: [2, 2], data_offsets: [56, 64] },
  ids: { dtype: 'I64', shape: [2], data_offsets: [64, 80] },
  flag: { dtype: 'BOOL', shape: [], data_offsets: [80, 81] },
}
const DATA_BYTES = 81

function fileOf(header: Uint8Array, length: bigint, dataBytes: number): Buffer {
  const start = Buffer.alloc(8)
  start.writeBigUInt64LE(length)
  return Buffer.concat([start, header, Buffer.alloc(dataBytes, 0x3f)])
}

/** Reads everything of a file; says how it ended. */
async function readAll(bytes: Buffer): Promise<'read' | 'refused'> {
  await writeFile(path, bytes)
  allocated = 0
  let file
  try {
    file = await openSafetensors(path)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    expect(allocated).toBeLessThanOrEqual(bytes.length + 8)
    return 'refused'
  }
  expect(allocated).toBeGreaterThan(8)
  try {
    for (const [name, { begin, end }] of file.tensors) {
      allocated = 0
      await file.read(name).catch((error: unknown) => {
        if (!(error instanceof AppError)) throw error
      })
      // 16-bit values become twice as long, beside the buffer they are read into.
      expect(allocated).toBeLessThanOrEqual(4 * (end - begin))
      expect(end).toBeLessThanOrEqual(bytes.length)
    }
  } finally {
    await file.close()
  }
  return 'read'
}

/** How often each end was reached; a property that never reaches one of them proves little. */
const seen = { read: 0, refused: 0 }
beforeEach(() => Object.assign(seen, { read: 0, refused: 0 }))
const expectBoth = () => expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(5)

it('counts allocations', () => {
  allocated = 0
  expect([new Uint8Array(5).length, new Float64Array(2).length, new Uint8Array([1, 2]).length]).toEqual([5, 2, 2])
  expect(allocated).toBe(21)
})

it('with any damage to the entries of the header', async () => {
  await fc.assert(
    fc.asyncProperty(damaged(HEADER), async (header) => {
      const text = new TextEncoder().encode(JSON.stringify(header))
      seen[await readAll(fileOf(text, BigInt(text.length), DATA_BYTES))]++
    }),
    { seed: 31, numRuns: 400 },
  )
  expectBoth()
})

it('with any bytes of the header replaced, and any length before it', async () => {
  const text = new TextEncoder().encode(JSON.stringify(HEADER))
  const places = fc.array(fc.tuple(fc.nat({ max: text.length - 1 }), fc.nat({ max: 255 })), { maxLength: 3 })
  const length = fc.option(fc.oneof(fc.bigInt({ min: 0n, max: 1000n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })), {
    freq: 3,
  })
  await fc.assert(
    fc.asyncProperty(places, length, async (replaced, promised) => {
      const header = text.slice()
      for (const [at, byte] of replaced) header[at] = byte
      seen[await readAll(fileOf(header, promised ?? BigInt(header.length), DATA_BYTES))]++
    }),
    { seed: 32, numRuns: 400 },
  )
  expectBoth()
})

it('with any part of its end missing, or more behind it', async () => {
  const text = new TextEncoder().encode(JSON.stringify(HEADER))
  const whole = fileOf(text, BigInt(text.length), DATA_BYTES + 50)
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: whole.length }), async (length) => {
      const end = await readAll(whole.subarray(0, length))
      expect(end).toBe(length >= whole.length - 50 ? 'read' : 'refused')
      seen[end]++
    }),
    { seed: 33, numRuns: 200 },
  )
  expectBoth()
})
