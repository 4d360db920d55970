/** Tokenizers of both common kinds, built here small enough to check by hand, and every way one can be unusable. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadTokenizer, startingWith } from '../../src/main/engine/lm/tokenizer'
import { makePieces } from '../../src/main/engine/lm/token-pieces'
import type { TokenPieces } from '../../src/shared/token-spans'
import { toSpans, toText } from '../../src/shared/token-spans'
import { byteLevelJson, metaspaceJson, unigramJson } from './tokenizer-samples'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'monoscope-tokenizer-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const putFile = (file: string, json: unknown) =>
  writeFile(join(folder, file), typeof json === 'string' ? json : JSON.stringify(json))
const put = async (json: unknown, config?: unknown) => {
  await putFile('tokenizer.json', json)
  if (config) await putFile('tokenizer_config.json', config)
}

/** Any text: characters of every plane, and those whose bytes and joins are awkward. */
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 6 }),
      fc.constantFrom(
        ' ',
        '  ',
        '\n',
        '\r\n',
        '\t',
        '한글',
        'ㅎ',
        '🦊',
        '👩‍👩‍👧‍👦',
        '🇰🇷',
        'é',
        'e\u0301',
        '\uFEFF',
        '\u200D',
        "'s",
        '<0x41>',
        '12',
      ),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''))

/** Bytes of tokens joined as UTF-8. */
const textOf = (ids: number[], { bytes, offsets }: TokenPieces) =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(
    Uint8Array.from(ids.flatMap((id) => Array.from(bytes.subarray(offsets[id], offsets[id + 1])))),
  )

describe('a SentencePiece tokenizer', () => {
  it('reads text as if a space stood before it, and bytes of what it does not know', async () => {
    await put(metaspaceJson())
    const tokenizer = await loadTokenizer(folder, 262)
    expect(tokenizer).toMatchObject({ bosId: 1, vocabulary: 262 })
    expect(await tokenizer.encode('a a')).toEqual([261, 261])
    expect(await tokenizer.encode('é')).toEqual([259, 0xc3 + 3, 0xa9 + 3])
    expect(await tokenizer.encode('')).toEqual([])
    expect(toText([1, ...(await tokenizer.encode('a 한 🦊'))], tokenizer.pieces)).toBe(' a 한 🦊')
    expect(toText([], tokenizer.pieces)).toBe('')
  })
  it('has pieces of true bytes, with special tokens marked', async () => {
    await put(metaspaceJson())
    const { encode, pieces } = await loadTokenizer(folder)
    for (const text of ['a', 'a a', '한글 🦊', 'tab\tnew\nline', 'naïve']) {
      expect(textOf(await encode(text), pieces)).toBe(` ${text}`)
    }
    expect(Array.from(pieces.special.subarray(0, 4))).toEqual([1, 1, 1, 0])
    expect(textOf([1], pieces)).toBe('<s>')
  })
  it('joins the bytes of one character into one span', async () => {
    await put(metaspaceJson())
    const { encode, pieces } = await loadTokenizer(folder)
    const ids = await encode('한a')
    const spans = toSpans([1, ...ids], [9, 0, 1, 5, 2, 3], pieces)
    expect(spans.map(({ text }) => text)).toEqual(['<s>', ' ', '한', 'a'])
    expect(spans.map(({ value }) => value)).toEqual([9, 0, 5, 3])
    expect(spans.flatMap((span) => span.ids)).toEqual([1, ...ids])
  })
})

describe('text and tokens of any text', () => {
  const check = (text: fc.Arbitrary<string>, property: (text: string) => Promise<void>) =>
    fc.assert(fc.asyncProperty(text, property), { seed: 51, numRuns: 500 })

  it('are the same bytes on byte-level vocabularies', async () => {
    await put(byteLevelJson())
    const { encode, pieces } = await loadTokenizer(folder)
    await check(anyText, async (text) => {
      expect(textOf(await encode(text), pieces)).toBe(text)
      expect(toText(await encode(text), pieces)).toBe(text)
    })
  })
  it('are the same bytes behind one space on metaspace vocabularies, where ▁ itself is a space', async () => {
    await put(metaspaceJson())
    const { encode, pieces } = await loadTokenizer(folder)
    await check(anyText, async (text) => {
      expect(textOf(await encode(text), pieces)).toBe(text === '' ? '' : ` ${text.replaceAll('▁', ' ')}`)
    })
  })
  it('are the same on Unigram vocabularies, behind a space where the text has none', async () => {
    await put(unigramJson())
    const { encode, pieces } = await loadTokenizer(folder)
    const known = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '한', '글', '🦊', '\n', '.'), maxLength: 20 })
    await check(known, async (text) => {
      expect(textOf(await encode(text), pieces)).toBe(text === '' || text.startsWith(' ') ? text : ` ${text}`)
    })
    expect(textOf(await encode('a?'), pieces)).toBe(' a<unk>')
  })
  it('are shown whole: no character is split, none is lost', async () => {
    await put(byteLevelJson())
    const { encode, pieces } = await loadTokenizer(folder)
    await check(anyText, async (text) => {
      const ids = await encode(text)
      const spans = toSpans(ids, null, pieces)
      expect(spans.map((span) => span.text).join('')).toBe(text)
      expect(spans.flatMap((span) => span.ids)).toEqual(ids)
      // One token is one byte here, so a span is one character and never a part of one.
      expect(spans.map((span) => span.text)).toEqual(Array.from(text))
    })
  })
  it('are shown as bytes where they are no characters', async () => {
    await put(byteLevelJson())
    const { encode, pieces } = await loadTokenizer(folder)
    const [, , last = 0] = await encode('한')
    const [fox = 0, second = 0] = await encode('🦊')
    const shown = (...ids: number[]) => toSpans(ids, null, pieces).map(({ text }) => text)
    expect(shown(last, ...(await encode('a')))).toEqual(['⟨9C⟩', 'a'])
    expect(shown(fox, second)).toEqual(['⟨F0⟩', '⟨9F⟩'])
    expect(shown(fox, 256, second)).toEqual(['⟨F0⟩', '<|end|>', '⟨9F⟩'])
    expect(shown(...(await encode('👩‍👧')))).toEqual(['👩', '\u200D', '👧'])
  })
})

describe('text as it was written', () => {
  it.each([
    ['byte-level', byteLevelJson(), anyText],
    ['metaspace', metaspaceJson(), anyText],
    [
      'Unigram',
      unigramJson(),
      fc.string({ unit: fc.constantFrom('a', 'b', ' ', '한', '글', '🦊', '\n', 'x'), maxLength: 20 }),
    ],
  ])('is shown by the spans of %s tokens, to the byte', async (_, json, texts) => {
    await put(json)
    const { locate, pieces } = await loadTokenizer(folder)
    const property = async (text: string) => {
      const { ids, places } = await locate(text)
      const spans = toSpans(ids, null, pieces, places && { text, places })
      expect(spans.map((span) => span.text).join('')).toBe(text)
      expect(spans.flatMap((span) => span.ids)).toEqual(ids)
    }
    await fc.assert(fc.asyncProperty(texts, property), { seed: 52, numRuns: 300 })
  })
})

describe('what stands before every text', () => {
  // Of the model's own tokenizer (transformers 5.24), and what can be chosen instead.
  it.each([
    ['gpt2: only config.json names one', {}, { bos_token_id: 256 }, { own: null, bos: 256 }],
    [
      'pythia: the one that ends texts is named, not added',
      { bos_token: '<|end|>', eos_token: '<|end|>', add_bos_token: false },
      {},
      { own: null, bos: 256 },
    ],
    ['gpt2 with its settings', { bos_token: '<|end|>', eos_token: '<|end|>' }, {}, { own: null, bos: 256 }],
    ['it is to be added', { bos_token: '<|end|>', eos_token: null, add_bos_token: true }, {}, { own: 256, bos: 256 }],
    ['smollm2: it is named and nothing else is said', { bos_token: '<|end|>' }, {}, { own: null, bos: 256 }],
    [
      'it is named but not added, and not the end',
      { bos_token: '<|end|>', eos_token: 'a', add_bos_token: false },
      {},
      { own: null, bos: 256 },
    ],
    [
      'qwen: there is none, whatever config.json says',
      { bos_token: null, add_bos_token: false },
      { bos_token_id: 256 },
      { own: null, bos: null },
    ],
    ['it is not in the vocabulary', { bos_token: '<gone>' }, {}, { own: null, bos: null }],
    ['config.json names a list', {}, { bos_token_id: [256] }, { own: null, bos: null }],
    ['config.json names one that the tokenizer does not have', {}, { bos_token_id: 257 }, { own: null, bos: null }],
  ])('%s', async (_, tokenizerConfig, config, starts) => {
    await put(byteLevelJson(), tokenizerConfig)
    await putFile('config.json', config)
    const tokenizer = await loadTokenizer(folder)
    expect(tokenizer).toMatchObject({ bosId: starts.own, starts })
    const tokens = { own: starts.own && '<|end|>', bos: starts.bos && '<|end|>' }
    expect(tokenizer.startTokens).toEqual(tokens)
    expect((await loadTokenizer(folder, undefined, 'bos')).bosId).toBe(starts.bos)
    expect(startingWith(tokenizer, 'bos').bosId).toBe(starts.bos)
    expect(startingWith(tokenizer, 'none').bosId).toBeNull()
  })
  it('is what a template adds, whatever else is said', async () => {
    await put(metaspaceJson(), { bos_token: '</s>', eos_token: '<unk>', add_bos_token: false })
    expect((await loadTokenizer(folder)).bosId).toBe(1)
  })
})

describe('tokens that end an answer', () => {
  it('come from all three files, each once, and only those the model knows', async () => {
    await put(metaspaceJson(), { eos_token: { content: '</s>' } })
    await putFile('config.json', { eos_token_id: 2 })
    await putFile('generation_config.json', { eos_token_id: [2, 261, 5, 9999, 'x', -1] })
    expect((await loadTokenizer(folder)).stopIds).toEqual([2, 261, 5])
    expect((await loadTokenizer(folder, 300)).stopIds).toEqual([2, 261, 5])
  })
  it('may be none', async () => {
    await put(byteLevelJson())
    expect((await loadTokenizer(folder)).stopIds).toEqual([])
  })
})

it('decodes what the tokens say, with spaces before punctuation', async () => {
  await put(byteLevelJson())
  const { encode, pieces } = await loadTokenizer(folder)
  expect(toText(await encode("a , b . do n't"), pieces)).toBe("a , b . do n't")
})

it('leaves out characters that no token can write', async () => {
  const model = { type: 'BPE', vocab: { a: 0, b: 1 }, merges: [] }
  await put({ ...byteLevelJson(), added_tokens: [], pre_tokenizer: null, decoder: null, model })
  expect(await (await loadTokenizer(folder)).encode('a?b')).toEqual([0, 1])
})

describe('a byte-level tokenizer', () => {
  it('round-trips any text, and its pieces are the bytes', async () => {
    await put(byteLevelJson(), { bos_token: { content: '<|end|>' }, add_bos_token: true })
    const tokenizer = await loadTokenizer(folder, 257)
    expect(tokenizer).toMatchObject({ bosId: 256, vocabulary: 257 })
    for (const text of ['a b', ' 한글 🦊\n', 'naïve\tcafé', '\u0000\u00ad\u00a0']) {
      const ids = await tokenizer.encode(text)
      expect(ids).toEqual(Array.from(new TextEncoder().encode(text)))
      expect(textOf(ids, tokenizer.pieces)).toBe(text)
      expect(toText(ids, tokenizer.pieces)).toBe(text)
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
      code: 'tokenizer-unsupported',
      details: { form: 'Oracle' },
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
