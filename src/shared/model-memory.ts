/** What a process needs to read a text with a model: more than the weights. */
import type { Model } from './domain'

/** A worker process with native TensorFlow before it has loaded anything: 242 MB measured. */
const PROCESS_BYTES = 250e6
/**
 * Logits that are computed at once, in numbers (64 MB). Every part of a text reads the weights of the head once, so that much smaller parts
 * would mostly wait for memory.
 */
export const BLOCK_LOGITS = 16 * 1024 * 1024
/**
 * Blocks of logits and their like that a reading holds at most, what is freed and not yet collected included. Measured with Gemma 3 270M and
 * 814 tokens: 308 MB beyond process and model, 4.6 blocks.
 */
const HELD_BLOCKS = 5
const FLOAT_BYTES = 4

type Sizes = Pick<Model, 'memoryBytes' | 'vocabulary' | 'contextSize'>

/** Bytes of memory at most while a text of a thousand tokens is read; the attention of a much longer one takes more (heads * tokens^2 numbers). */
export const readingBytes = ({ memoryBytes, vocabulary, contextSize }: Sizes): number =>
  memoryBytes + PROCESS_BYTES + HELD_BLOCKS * FLOAT_BYTES * Math.min(BLOCK_LOGITS, vocabulary * contextSize)
