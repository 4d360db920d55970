/** The byte-level BPE of the demo's model: which merges are learnt, and that the app's tokenizer reads what is written. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { byteCharacters, learnMerges, PieceCounts, tokenizerJson } from '../../scripts/demo/bpe'
import { loadTokenizer } from '../../src/main/engine/lm'
import { toText } from '../../src/shared/token-spans'

const folder = mkdtempSync(join(tmpdir(), 'bpe-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const wordsOf = (texts: string[], least = 1) => {
  const counts = new PieceCounts()
  for (const text of texts) counts.add(text)
  return counts.words(least)
}
const code = (character: string) => character.charCodeAt(0)

it('merges the most frequent pair first, of equals the lower one', () => {
  const merges = learnMerges(wordsOf(['low', 'low', 'lower', 'newest', 'newest', 'newest']), 4)
  // "we" occurs four times, in lower and newest; every other pair three times or less.
  expect(merges[0]).toEqual([code('w'), code('e')])
  const counted = wordsOf(['aab', 'aab', 'xy', 'xy'])
  expect(learnMerges(counted, 1)).toEqual([[code('a'), code('a')]])
})

it('merges what was merged, and runs of one symbol from the left', () => {
  expect(learnMerges(wordsOf(['abab', 'abab']), 2)).toEqual([
    [code('a'), code('b')],
    [256, 256],
  ])
  const runs = wordsOf(['aaaaa', 'aaaaa'])
  learnMerges(runs, 1)
  expect(runs[0]?.symbols).toEqual([256, 256, code('a')])
})

it('stops when no pair occurs twice', () => {
  expect(learnMerges(wordsOf(['abc']), 5)).toEqual([])
})

it('does not depend on the order of the texts', () => {
  const texts = ['the cat sat', 'on the mat', '고양이가 앉았다', 'the hat']
  expect(learnMerges(wordsOf(texts), 20)).toEqual(learnMerges(wordsOf(texts.toReversed()), 20))
})

it('leaves rare pieces out and cuts very long ones', () => {
  expect(wordsOf(['once twice twice'], 2).map(({ symbols }) => String.fromCharCode(...symbols))).toEqual([' twice'])
  expect(wordsOf(['가'.repeat(100)]).map(({ count, symbols }) => [count, symbols.length])).toEqual([
    [1, 12],
    [2, 144],
  ])
})

it('gives every byte a character of its own', () => {
  const characters = byteCharacters()
  expect(new Set(characters).size).toBe(256)
  expect(characters[code('A')]).toBe('A')
  expect(characters[code(' ')]).toBe('Ġ')
  expect(characters[code('\n')]).toBe('Ċ')
})

it('writes a tokenizer that the app reads back byte for byte', async () => {
  const texts = [
    'The cat sat on the mat. The cat!',
    'def cat(x):\n    return x\n',
    '고양이가 매트에 앉았다. 고양이',
    'tab\tand  spaces ',
  ]
  const merges = learnMerges(wordsOf(texts), 60)
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizerJson(merges, '<|endoftext|>')))
  const config = { model_type: 'llama', bos_token_id: 0, eos_token_id: 0 }
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  const tokenizer = await loadTokenizer(folder)
  expect(tokenizer.bosId).toBe(0)
  expect(tokenizer.vocabulary).toBe(257 + merges.length)
  for (const text of [...texts, 'never seen: ß 猫 🙂']) {
    const ids = await tokenizer.encode(text)
    expect(toText(ids, tokenizer.pieces)).toBe(text)
    expect(ids.length).toBeLessThan(new TextEncoder().encode(text).length)
  }
})
