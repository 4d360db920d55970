/** The memory that the library says a model needs. */
import { describe, expect, it } from 'vitest'
import { readingBytes } from '../../src/shared/model-memory'

describe('memory to read a text', () => {
  it('is more than the weights: what was measured with Gemma 3 270M and 814 tokens fits into it, 1.75 GB do not', () => {
    const told = readingBytes({ memoryBytes: 1_744_000_000, vocabulary: 262_144, contextSize: 32_768 })
    expect(told).toBeGreaterThan(2.298e9)
    expect(told).toBeLessThan(2.4e9)
  })

  it('counts no more logits than a text of the model can have', () => {
    const sizes = { memoryBytes: 1_000_000, vocabulary: 512, contextSize: 512 }
    expect(readingBytes(sizes)).toBe(1_000_000 + 250e6 + 5 * 4 * 512 * 512)
  })
})
