/** tokenizer.json files of the three common kinds, small enough to check by hand. */
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
export function metaspaceJson() {
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
export function byteLevelJson() {
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

/** A Unigram tokenizer: every piece has a log probability, and the likeliest cut of a text wins. No bytes: what it lacks is `<unk>`. */
export function unigramJson() {
  const scored: [string, number][] = [
    ...([['<unk>', 0], ['<s>', 0], ['</s>', 0]] as [string, number][]), // prettier-ignore
    ...['▁', 'a', 'b', '한', '글', '🦊', '\n', '.'].map((piece, i): [string, number] => [piece, -4 - i / 8]),
    ...['▁a', 'ab', '한글', '▁▁'].map((piece, i): [string, number] => [piece, -5 - i / 8]),
  ]
  const step = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true }
  return {
    version: '1.0',
    added_tokens: [special(0, '<unk>'), special(1, '<s>'), special(2, '</s>')],
    normalizer: null,
    pre_tokenizer: step,
    post_processor: null,
    decoder: step,
    model: { type: 'Unigram', unk_id: 0, vocab: scored, byte_fallback: false },
  }
}
