/** The generator against hand-computed values of its definition, and the shape of what is drawn from it. */
import { describe, expect, it } from 'vitest'
import { Random } from '../../src/main/engine/train/random'

/** xoshiro128** again, in exact integers, as its authors define it. */
function oracle(state: bigint[], count: number): number[] {
  const mask = (1n << 32n) - 1n
  const rotl = (x: bigint, k: bigint) => ((x << k) | (x >> (32n - k))) & mask
  const s = [...state] as [bigint, bigint, bigint, bigint]
  return Array.from({ length: count }, () => {
    const result = (rotl((s[1] * 5n) & mask, 7n) * 9n) & mask
    const t = (s[1] << 9n) & mask
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= t
    s[3] = rotl(s[3], 11n)
    return Number(result)
  })
}

describe('Random', () => {
  it('gives the sequence of xoshiro128** from state 1, 2, 3, 4', () => {
    const random = new Random([1, 2, 3, 4])
    const drawn = Array.from({ length: 500 }, () => random.next())
    // The first three follow by hand from the definition.
    expect(drawn.slice(0, 3)).toEqual([11520, 0, 5927040])
    expect(drawn).toEqual(oracle([1n, 2n, 3n, 4n], 500))
  })

  it('goes on from a saved state', () => {
    const random = Random.fromSeed(7)
    for (let i = 0; i < 10; i++) random.normal()
    const copy = new Random(random.state)
    expect(Array.from({ length: 20 }, () => copy.next())).toEqual(Array.from({ length: 20 }, () => random.next()))
  })

  it('gives unrelated streams and seeds', () => {
    const first = (seed: number, stream: number) => {
      const random = Random.fromSeed(seed, stream)
      return Array.from({ length: 4 }, () => random.next()).join()
    }
    expect(new Set([first(1, 0), first(1, 1), first(2, 0), first(0, 0), first(0, 1)]).size).toBe(5)
  })

  it('draws integers without bias and normals with mean 0 and variance 1', () => {
    const random = Random.fromSeed(3)
    const counts = new Array<number>(7).fill(0)
    let sum = 0
    let squares = 0
    const n = 70_000
    for (let i = 0; i < n; i++) {
      const k = random.int(7)
      counts[k] = (counts[k] ?? 0) + 1
      const z = random.normal()
      sum += z
      squares += z * z
    }
    for (const count of counts) expect(Math.abs(count - n / 7)).toBeLessThan(5 * Math.sqrt(n / 7))
    expect(Math.abs(sum / n)).toBeLessThan(0.02)
    expect(Math.abs(squares / n - 1)).toBeLessThan(0.03)
  })

  it('shuffles to a permutation that depends on the seed', () => {
    const one = Random.fromSeed(1).shuffle(Int32Array.from({ length: 100 }, (_, i) => i))
    const two = Random.fromSeed(2).shuffle(Int32Array.from({ length: 100 }, (_, i) => i))
    expect([...one].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i))
    expect([...one]).not.toEqual([...two])
  })
})
