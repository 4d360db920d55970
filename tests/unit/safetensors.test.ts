/** safetensors files, whole and damaged: each damage has its own sentence. */
import { mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSafetensors, writeSafetensors } from '../../src/main/files/safetensors'
import { widenHalf } from '../../src/main/files/element-types'
import { duplicateKey } from '../../src/main/files/json-keys'

let folder: string
let path: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'monoscope-safetensors-'))
  path = join(folder, 'x.safetensors')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Raw file: a length (by default the true one), a header text, and so many data bytes. */
async function put(header: string | Uint8Array, dataBytes = 0, length?: bigint): Promise<void> {
  const json = typeof header === 'string' ? new TextEncoder().encode(header) : header
  const start = new Uint8Array(8)
  new DataView(start.buffer).setBigUint64(0, length ?? BigInt(json.length), true)
  await writeFile(path, Buffer.concat([start, json, new Uint8Array(dataBytes)]))
}

const entry = (dtype: string, shape: number[], begin: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
})
const f32 = (shape: number[], begin: number, end: number) => entry('F32', shape, begin, end)

const openError = async (): Promise<string> => {
  try {
    const file = await openSafetensors(path)
    await file.close()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return 'it opened'
}

const corrupt = (reason: string) =>
  `The file ${path} is not a valid safetensors file: ${reason}. Copy or download it again.`
const truncated = (expected: number, actual: number) =>
  `The file ${path} ends early: its header promises ${expected.toLocaleString('en-US')} bytes and ${actual} are there. Copy or download it again.`

const overlapSentence = () => `In the weight file ${path} the tensors a and b share bytes. Copy or download it again.`

describe('a damaged file', () => {
  it.each([0, 1, 7])('of %d bytes ends before the header length', async (bytes) => {
    await writeFile(path, new Uint8Array(bytes))
    expect(await openError()).toBe(truncated(8, bytes))
  })
  it.each([
    ['a little more than there is', 6n, '6'],
    ['more than the file', 500n, '500'],
    ['a length no one writes', 2n ** 40n, '1,099,511,627,776'],
    ['the longest there is', 2n ** 64n - 1n, '18,446,744,073,709,551,615'],
  ])('promises a header of %s', async (_, length, written) => {
    await put('{"a":', 0, length)
    expect(await openError()).toBe(
      `The weight file ${path} says its header is ${written} bytes long, but the file has 13. Copy or download it again.`,
    )
  })
  it('has a header longer than any that is written', async () => {
    await put('{}')
    await truncate(path, 101 * 1024 * 1024)
    const handle = await open(path, 'r+')
    await handle.write(new BigUint64Array([100n * 1024n * 1024n + 1n]), 0, 8, 0)
    await handle.close()
    expect(await openError()).toBe(corrupt('its header would be 104857601 bytes long'))
  })
  it('has an empty header', async () => {
    await put('')
    expect(await openError()).toBe(corrupt('its header is not JSON'))
  })
  it('has a header that is not UTF-8', async () => {
    await put(Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d))
    expect(await openError()).toBe(corrupt('its header is not JSON'))
  })
  it.each(['[]', 'null', '3', '"text"'])('has %s for a header', async (header) => {
    await put(header)
    expect(await openError()).toBe(corrupt('its header is not a JSON object'))
  })
  it('names a tensor twice', async () => {
    const one = JSON.stringify(f32([1], 0, 4))
    await put(`{"a":${one}, "b" :${JSON.stringify(f32([0], 4, 4))},"\\u0061"  :${one}}`, 4)
    expect(await openError()).toBe(corrupt('its header names a twice'))
  })
  it.each([
    ['null', 'null'],
    ['a number', '7'],
    ['no dtype', '{"shape":[1],"data_offsets":[0,4]}'],
    ['a negative length', '{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}'],
    ['a fractional length', '{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}'],
    ['one offset', '{"dtype":"F32","shape":[1],"data_offsets":[0]}'],
    ['a negative offset', '{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}'],
    ['an offset beyond exact integers', '{"dtype":"F32","shape":[1],"data_offsets":[0,1e300]}'],
    ['a text for a shape', '{"dtype":"F32","shape":"1","data_offsets":[0,4]}'],
  ])('has an entry with %s', async (_, text) => {
    await put(`{"a":${text}}`, 4)
    expect(await openError()).toBe(corrupt('the entry of a lacks a dtype, a shape or offsets'))
  })
  it('has a type nobody knows', async () => {
    await put(JSON.stringify({ a: entry('F31', [1], 0, 4) }), 4)
    expect(await openError()).toBe(corrupt('the tensor a has the unknown type F31'))
  })
  it.each([
    [[2], 0, 4],
    [[1], 4, 0],
    [[0], 0, 4],
    [[], 0, 8],
    [[2 ** 30, 2 ** 30, 2 ** 30], 0, 4],
    [[2 ** 31, 2 ** 31], 0, 0],
  ])('has shape %j in bytes %d to %d', async (shape, begin, end) => {
    await put(JSON.stringify({ a: f32(shape, begin, end) }), 16)
    const bytes = (end - begin).toLocaleString('en-US')
    expect(await openError()).toBe(
      `In the weight file ${path} the tensor a has the shape [${shape.join(', ')}], which does not fit its ${bytes} bytes. Copy or download it again.`,
    )
  })
  it('has tensors that overlap', async () => {
    await put(JSON.stringify({ a: f32([2], 0, 8), b: f32([2], 4, 12) }), 12)
    expect(await openError()).toBe(overlapSentence())
  })
  it('has two tensors in one place', async () => {
    await put(JSON.stringify({ a: f32([1], 0, 4), b: f32([1], 0, 4) }), 4)
    expect(await openError()).toBe(overlapSentence())
  })
  it('ends inside its data', async () => {
    const header = JSON.stringify({ a: f32([1000], 0, 4000) })
    await put(header, 10)
    expect(await openError()).toBe(truncated(8 + header.length + 4000, 8 + header.length + 10))
  })
  it('promises more data than any disk holds, and allocates nothing for it', async () => {
    const header = JSON.stringify({ a: entry('U8', [2 ** 52], 0, 2 ** 52) })
    await put(header, 10)
    expect(await openError()).toBe(truncated(8 + header.length + 2 ** 52, 8 + header.length + 10))
  })
  it('has metadata that are not texts', async () => {
    await put('{"__metadata__":{"a":1}}')
    expect(await openError()).toBe(corrupt('its metadata are not texts'))
  })
  it('is not there', async () => {
    await rm(path, { force: true })
    expect(await openError()).toBe(`The file ${path} does not exist. Check the path, or copy the file back.`)
  })
  it('has been cut after it was opened', async () => {
    const header = JSON.stringify({ a: f32([4], 0, 16) })
    await put(header, 16)
    const file = await openSafetensors(path)
    await put(header, 3)
    await expect(file.read('a')).rejects.toThrow(truncated(8 + header.length + 16, 8 + header.length + 3))
    await file.close()
  })
})

describe('a file that opens', () => {
  it('says which tensor it lacks, and which type is not read', async () => {
    await put(JSON.stringify({ a: entry('F8_E4M3', [4], 0, 4) }), 4)
    const file = await openSafetensors(path)
    await expect(file.read('b')).rejects.toThrow(corrupt('it has no tensor b'))
    await expect(file.read('a')).rejects.toThrow(corrupt('the tensor a has the type F8_E4M3, which is not read'))
    await file.close()
  })
  it('refuses integers where floats are needed', async () => {
    await writeSafetensors(path, { ids: { dtype: 'I32', shape: [1], data: Int32Array.of(7) } })
    const file = await openSafetensors(path)
    await expect(file.readFloat32('ids')).rejects.toThrow(corrupt('the tensor ids has the type I32, not F32'))
    await file.close()
  })
  it('may hold data at odd offsets, gaps, and names like those of an object', async () => {
    const header =
      '{"__proto__":' + JSON.stringify(entry('U8', [3], 0, 3)) + ',"b":' + JSON.stringify(f32([1], 5, 9)) + '}'
    await put(header, 9)
    const bytes = await readFile(path)
    bytes.writeFloatLE(1.5, bytes.length - 4)
    await writeFile(path, bytes)
    const file = await openSafetensors(path)
    expect([...file.tensors.keys()]).toEqual(['__proto__', 'b'])
    expect((await file.readFloat32('b')).data).toEqual(Float32Array.of(1.5))
    await file.close()
  })
})

describe('round trips', () => {
  const bits = (data: ArrayBufferView) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const name = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => text !== '__metadata__')
  const tensor = fc.oneof(
    fc.float32Array({ maxLength: 40 }).map((data) => ({ dtype: 'F32' as const, shape: [data.length], data })),
    fc.float64Array({ maxLength: 20 }).map((data) => ({ dtype: 'F64' as const, shape: [1, data.length], data })),
    fc.int32Array({ maxLength: 20 }).map((data) => ({ dtype: 'I32' as const, shape: [data.length, 1], data })),
    fc.bigInt64Array({ maxLength: 9 }).map((data) => ({ dtype: 'I64' as const, shape: [data.length], data })),
    fc.uint8Array({ maxLength: 20 }).map((data) => ({ dtype: 'U8' as const, shape: [data.length], data })),
  )
  it('give back every bit, shape and metadata', async () => {
    const files = fc.dictionary(name, tensor, { maxKeys: 6, noNullPrototype: true })
    const metadata = fc.dictionary(name, fc.string(), { noNullPrototype: true })
    await fc.assert(
      fc.asyncProperty(files, metadata, async (tensors, notes) => {
        await writeSafetensors(path, tensors, notes)
        const file = await openSafetensors(path)
        expect(file.metadata).toEqual(notes)
        expect([...file.tensors.keys()].sort()).toEqual(Object.keys(tensors).sort())
        for (const [key, { dtype, shape, data }] of Object.entries(tensors)) {
          const back = await file.read(key)
          expect([back.dtype, back.shape]).toEqual([dtype, shape])
          expect(bits(back.data)).toEqual(bits(data))
        }
        await file.close()
      }),
      { seed: 20241, numRuns: 60 },
    )
  })
  it('widens every half that is a number to its value', () => {
    const word = new Uint32Array(1)
    const float = new Float32Array(word.buffer)
    for (let half = 0; half < 0x10000; half++) {
      const [exponent, fraction] = [(half >>> 10) & 31, half & 1023]
      word[0] = widenHalf(half)
      const sign = half & 0x8000 ? -1 : 1
      const special = fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
      const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15)
      if (!Object.is(float[0], exponent === 31 ? special : sign * size)) expect.fail(`half ${half} became ${float[0]}`)
    }
  })
  it('refuses data that do not fill their shape', async () => {
    const short = { a: { dtype: 'F32' as const, shape: [3], data: new Float32Array(2) } }
    await expect(writeSafetensors(path, short)).rejects.toThrow('a: 8 bytes do not fill [3]')
  })
})

it('finds repeated keys of the outermost object only', () => {
  expect(duplicateKey('{"a":{"x":1,"x":2},"b":["a","a"],"c":"a"}')).toBeNull()
  expect(duplicateKey('{"a\\"":1,"b":{"a":3},"a\\"":2}')).toBe('a"')
})
