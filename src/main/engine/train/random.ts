/** The one source of randomness of the engine: a seeded generator whose state can be saved, so that a run can be repeated bit for bit. */
import { z } from 'zod'

const Word = z
  .int()
  .min(0)
  .max(2 ** 32 - 1)

/** Four 32-bit words; never all zero. */
export const RandomState = z.tuple([Word, Word, Word, Word])
export type RandomState = z.infer<typeof RandomState>

const rotateLeft = (x: number, k: number) => ((x << k) | (x >>> (32 - k))) >>> 0

/**
 * SplitMix32: spreads a small seed over all bits. Constants of the MurmurHash3 finaliser.
 * Used for seeding and as a hash of (seed, index).
 */
export function mix32(seed: number): number {
  let z = (seed + 0x9e3779b9) >>> 0
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
  return (z ^ (z >>> 16)) >>> 0
}

/** xoshiro128** 1.1 of Blackman and Vigna (2018): 128 bits of state, 32-bit output, period 2^128 - 1. */
export class Random {
  private words: RandomState

  constructor(state: RandomState) {
    this.words = [state[0] >>> 0, state[1] >>> 0, state[2] >>> 0, state[3] >>> 0]
    if (this.words.every((word) => word === 0)) this.words[0] = 1
  }

  /** A generator for one purpose: different `stream` numbers of one seed are unrelated. */
  static fromSeed(seed: number, stream = 0): Random {
    const start = mix32(mix32(seed >>> 0) ^ mix32((stream + 0x51ed27) >>> 0))
    const word = (k: number) => mix32((start + Math.imul(k, 0x9e3779b9)) >>> 0)
    return new Random([word(1), word(2), word(3), word(4)])
  }

  get state(): RandomState {
    return [...this.words]
  }

  /** Uniform in 0 .. 2^32 - 1. */
  next(): number {
    const s = this.words
    const result = Math.imul(rotateLeft(Math.imul(s[1], 5) >>> 0, 7), 9) >>> 0
    const shifted = (s[1] << 9) >>> 0
    s[2] = (s[2] ^ s[0]) >>> 0
    s[3] = (s[3] ^ s[1]) >>> 0
    s[1] = (s[1] ^ s[2]) >>> 0
    s[0] = (s[0] ^ s[3]) >>> 0
    s[2] = (s[2] ^ shifted) >>> 0
    s[3] = rotateLeft(s[3], 11)
    return result
  }

  /** Uniform in [0, 1) with 32 random bits. */
  uniform(): number {
    return this.next() / 2 ** 32
  }

  /** Uniform integer in [0, limit), limit at most 2^32; draws above the largest multiple of limit are rejected, so there is no bias. */
  int(limit: number): number {
    const largest = 2 ** 32 - (2 ** 32 % limit)
    let draw = this.next()
    while (draw >= largest) draw = this.next()
    return draw % limit
  }

  /** Standard normal, by the polar method of Marsaglia; the second value of a pair is dropped so that the state stays four words. */
  normal(): number {
    for (;;) {
      const u = 2 * this.uniform() - 1
      const v = 2 * this.uniform() - 1
      const r = u * u + v * v
      if (r > 0 && r < 1) return u * Math.sqrt((-2 * Math.log(r)) / r)
    }
  }

  /** Fisher-Yates, in place. */
  shuffle(values: Int32Array): Int32Array {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.int(i + 1)
      const kept = values[i] ?? 0
      values[i] = values[j] ?? 0
      values[j] = kept
    }
    return values
  }
}
