/** Tokenizers of both common kinds, built here small enough to check by hand, and every way one can be unusable. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadTokenizer } from '../../src/main/engine/lm/tokenizer'
import { makePieces } from '../../src/main/engine/lm/token-pieces'
import type { TokenPieces } from '../../src/shared/token-spans'
import { toSpans } from '../../src/shared/token-spans'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'monoscope-tokenizer-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const hexOf = (byte: number) => byte.toString(16).toUpperCase().padStart(2, '0')
const special = (id: number, content: string) => ({
  id,
  content,
  special: true,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
})

/** A SentencePiece-like tokenizer: three special tokens, 256 bytes, `▁`, `a`, and `▁a` merged. */
function metaspaceJson() {
  const bytes = Array.from({ length: 256 }, (_, byte) => [`<0x${hexOf(byte)}>`, byte + 3] as const)
  const vocab = { '<unk>': 0, '<s>': 1, '</s>': 2, ...Object.fromEntries(bytes), '▁': 259, a: 260, '▁a': 261 }
  const space = { String: ' ' }
  return {
    version: '1.0',
    added_tokens: [special(0, '<unk>'), special(1, '<s>'), special(2, '</s>')],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: space, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [],
      special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
    },
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: { type: 'BPE', unk_token: '<unk>', byte_fallback: true, fuse_unk: true, vocab, merges: [['▁', 'a']] },
  }
}

/** A GPT-2-like tokenizer whose vocabulary is the 256 byte characters and one special token. */
function byteLevelJson() {
  const own = (b: number) => (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || (b >= 0xae && b <= 0xff)
  let moved = 0
  const chars = Array.from({ length: 256 }, (_, b) => String.fromCodePoint(own(b) ? b : 0x100 + moved++))
  const step = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }
  return {
    version: '1.0',
    added_tokens: [special(256, '<|end|>')],
    normalizer: null,
    pre_tokenizer: step,
    post_processor: null,
    decoder: step,
    model: { type: 'BPE', vocab: Object.fromEntries(chars.map((char, b) => [char, b])), merges: [] },
  }
}

const put = async (json: unknown, config?: unknown) => {
  await writeFile(join(folder, 'tokenizer.json'), typeof json === 'string' ? json : JSON.stringify(json))
  if (config) await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(config))
}

/** Bytes of tokens joined as UTF-8. */
const textOf = (ids: number[], { bytes, offsets }: TokenPieces) =>
  new TextDecoder().decode(
    Uint8Array.from(ids.flatMap((id) => Array.from(bytes.subarray(offsets[id], offsets[id + 1])))),
  )

describe('a SentencePiece tokenizer', () => {
  it('reads text as if a space stood before it, and bytes of what it does not know', async () => {
    await put(metaspaceJson())
    const tokenizer = await loadTokenizer(folder, 262)
    expect(tokenizer).toMatchObject({ bosId: 1, vocabulary: 262 })
    expect(tokenizer.encode('a a')).toEqual([261, 261])
    expect(tokenizer.encode('é')).toEqual([259, 0xc3 + 3, 0xa9 + 3])
    expect(tokenizer.encode('')).toEqual([])
    expect(tokenizer.decode([1, ...tokenizer.encode('a 한 🦊')])).toBe('a 한 🦊')
    expect(tokenizer.decode([])).toBe('')
  })
  it('has pieces of true bytes, with special tokens marked', async () => {
    await put(metaspaceJson())
    const { encode, pieces } = await loadTokenizer(folder)
    for (const text of ['a', 'a a', '한글 🦊', 'tab\tnew\nline', 'naïve']) {
      expect(textOf(encode(text), pieces)).toBe(` ${text}`)
    }
    expect(Array.from(pieces.special.subarray(0, 4))).toEqual([1, 1, 1, 0])
    expect(textOf([1], pieces)).toBe('<s>')
  })
  it('joins the bytes of one character into one span', async () => {
    await put(metaspaceJson())
    const { encode, pieces } = await loadTokenizer(folder)
    const ids = encode('한a')
    const spans = toSpans([1, ...ids], [9, 0, 1, 5, 2, 3], pieces)
    expect(spans.map(({ text }) => text)).toEqual(['<s>', ' ', '한', 'a'])
    expect(spans.map(({ value }) => value)).toEqual([9, 0, 5, 3])
    expect(spans.flatMap((span) => span.ids)).toEqual([1, ...ids])
  })
})

describe('a byte-level tokenizer', () => {
  it('round-trips any text, and its pieces are the bytes', async () => {
    await put(byteLevelJson(), { bos_token: { content: '<|end|>' } })
    const tokenizer = await loadTokenizer(folder, 257)
    expect(tokenizer).toMatchObject({ bosId: 256, vocabulary: 257 })
    for (const text of ['a b', ' 한글 🦊\n', 'naïve\tcafé', '\u0000\u00ad\u00a0']) {
      const ids = tokenizer.encode(text)
      expect(ids).toEqual(Array.from(new TextEncoder().encode(text)))
      expect(textOf(ids, tokenizer.pieces)).toBe(text)
      expect(tokenizer.decode(ids)).toBe(text)
    }
    expect(tokenizer.pieces.special[256]).toBe(1)
  })
  it('may have no token that starts a document', async () => {
    await put(byteLevelJson(), { bos_token: null })
    expect((await loadTokenizer(folder)).bosId).toBeNull()
  })
})

describe('a tokenizer that cannot be used', () => {
  const path = () => join(folder, 'tokenizer.json')
  const invalid = (format: string, reason: string) =>
    `The file ${path()} is not a valid ${format} file: ${reason}. Copy or download it again.`
  it('is missing', async () => {
    await expect(loadTokenizer(folder)).rejects.toThrow(
      `The folder ${folder} has no tokenizer.json. Add the tokenizer.json of this model.`,
    )
  })
  it('belongs to another model', async () => {
    await put(metaspaceJson())
    await expect(loadTokenizer(folder, 261)).rejects.toThrow(
      'The tokenizer has ids up to 261, but the model knows only 261. Use the tokenizer.json that belongs to this model.',
    )
  })
  it.each([
    ['', 'it does not parse'],
    ['{"model":', 'it does not parse'],
    ['[]', 'the whole: invalid input: expected object, received array'],
    ['{}', 'model: invalid input: expected object, received undefined'],
  ])('says %j', async (text, reason) => {
    await put(text)
    await expect(loadTokenizer(folder)).rejects.toThrow(invalid('JSON', reason))
  })
  it('has a model nobody knows', async () => {
    await put({ ...byteLevelJson(), model: { type: 'Oracle', vocab: { a: 0 } } })
    await expect(loadTokenizer(folder)).rejects.toMatchObject({
      code: 'file-corrupt',
      details: { format: 'JSON' },
    })
  })
})

it('leaves ids without a token empty', () => {
  const pieces = makePieces([{ id: 2, token: '▁x', special: false, added: false }], 'metaspace')
  expect(pieces).toEqual({
    bytes: Uint8Array.of(0x20, 0x78),
    offsets: Int32Array.of(0, 0, 0, 2),
    special: new Uint8Array(3),
  })
})
