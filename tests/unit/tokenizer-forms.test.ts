/**
 * Ids of every form of tokenizer.json over 2,000 texts, equal to those of Hugging Face's own tokenizers; and the JavaScript library, where
 * there is no binary, names each form that it reads otherwise.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { loadTokenizer } from '../../src/main/engine/lm/tokenizer'
import { tokenizerForms } from '../fixtures/tokenizer-forms'
import { awkwardTexts } from '../fixtures/tokenizer-texts'

const Ids = z.object({
  forms: z.record(z.string(), z.object({ sha256: z.string(), first: z.array(z.array(z.int())) })),
})

const path = join(import.meta.dirname, '../fixtures/tokenizer-ids.json')
const expected = Ids.parse(JSON.parse(readFileSync(path, 'utf8'))).forms
const texts = awkwardTexts()
const forms = Object.entries(tokenizerForms())

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'monoscope-forms-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function read(json: unknown): Promise<{ ids: number[][]; unfaithful: readonly string[] }> {
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(json))
  const { encode, unfaithful } = await loadTokenizer(folder)
  return { ids: await Promise.all(texts.map(encode)), unfaithful }
}

const hash = (ids: number[][]) =>
  createHash('sha256')
    .update(ids.map((one) => one.join(' ')).join('\n'))
    .digest('hex')

it('has ids for all forms', () => {
  expect(forms.map(([name]) => name)).toEqual(Object.keys(expected))
  expect(texts).toHaveLength(2000)
})

it.each(forms)('%s: ids as those of tokenizers', async (name, json) => {
  const { ids, unfaithful } = await read(json)
  const { first, sha256 } = expected[name] ?? { first: [], sha256: '' }
  // Which text differs says more than a hash does.
  first.forEach((wanted, i) => expect({ text: texts[i], ids: ids[i] }).toEqual({ text: texts[i], ids: wanted }))
  expect(hash(ids)).toBe(sha256)
  expect(unfaithful).toEqual([])
})

it.each(forms)('%s: every token lies where its text is', async (_, json) => {
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(json))
  const { locate, encode } = await loadTokenizer(folder)
  const wrong: string[] = []
  for (const text of texts.slice(0, 200)) {
    const { ids, places } = await locate(text)
    expect(ids).toEqual(await encode(text))
    const at = Array.from(ids, (_, i) => [places?.[2 * i] ?? -1, places?.[2 * i + 1] ?? -1] as const)
    at.forEach(([start, end], i) => {
      const part = text.slice(start, end)
      // In order, within the text, and on borders of characters: half a surrogate pair has no UTF-8.
      const isOrdered = start >= (at[i - 1]?.[0] ?? 0) && end >= start && end <= text.length
      if (!isOrdered || Buffer.from(part).toString() !== part) wrong.push(`${text}: ${start} to ${end}`)
    })
  }
  expect(wrong).toEqual([])
})

describe('without a binary', () => {
  beforeAll(() => {
    process.env.MONOSCOPE_TOKENIZER = 'javascript'
  })
  afterAll(() => {
    delete process.env.MONOSCOPE_TOKENIZER
  })
  /** What the JavaScript library has not at all. */
  const unread = /UnicodeScripts|CharDelimiterSplit|Nmt|WordLevel/
  it.each(forms.filter(([name]) => unread.test(name)))('%s: is refused', async (_, json) => {
    await expect(read(json)).rejects.toMatchObject({ code: 'tokenizer-unsupported' })
  })
  it.each(forms.filter(([name]) => !unread.test(name)))(
    '%s: the same ids, or the form is named',
    async (name, json) => {
      const { ids, unfaithful } = await read(json)
      if (unfaithful.length === 0) expect(hash(ids)).toBe(expected[name]?.sha256)
    },
  )
})
