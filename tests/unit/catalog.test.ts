/** Catalog lines: CSV that spreadsheets read as text, JSONL that stands alone, names that are free. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { csvLines, jsonLines, type CatalogSource } from '../../src/main/handlers/catalog-lines'
import { writeNewFile } from '../../src/main/handlers/new-file'
import { addSae, makeAtlas, temporaryFolder, temporaryStore, TEXT } from '../fixtures/samples'

async function source(which: 'alive' | 'all' | 'labelled' = 'alive'): Promise<CatalogSource> {
  const store = temporaryStore()
  const { model, dataset, sae } = addSae(store, 6)
  await store.atlases.run({ saeId: sae.id, datasetId: dataset.id }, makeAtlas(6), TEXT)
  store.labels.choose(sae.id, 1, '=HYPERLINK("http://x"), and\nmore', 'me')
  store.labels.choose(sae.id, 2, '-1+1', '')
  store.labels.choose(sae.id, 4, 'an older one', '')
  store.labels.choose(sae.id, 4, 'plain', '')
  store.tags.put(sae.id, [4], '@home')
  store.safety.assign({ saeId: sae.id, featureIndex: 4, category: 'toxicity', reason: 'rude, "very"' })
  const indexes = store.features.indexes(sae.id, which)
  const signal = new AbortController().signal
  return { store, sae: store.saes.get(sae.id), model, indexes, version: '1.2.3', text: TEXT, signal }
}

/** A plain reader of RFC 4180, written from it: quoted cells may hold commas, quotes and line breaks. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [[]]
  for (let at = 0; at < text.length;) {
    let cell = ''
    if (text[at] === '"') {
      for (at++; !(text[at] === '"' && text[at + 1] !== '"'); at++) {
        if (text[at] === '"') at++
        cell += text[at] ?? ''
      }
      at++
    } else while (at < text.length && text[at] !== ',' && !text.startsWith('\r\n', at)) cell += text[at++] ?? ''
    rows.at(-1)?.push(cell)
    if (text[at] === ',') at++
    else {
      at += 2
      if (at < text.length) rows.push([])
    }
  }
  return rows
}

describe('CSV', () => {
  it('has one row per feature and defuses formulas', async () => {
    const [head, ...rows] = readCsv([...csvLines(await source())].join(''))
    expect(head?.[0]).toBe('\uFEFFreference')
    expect(rows.map((row) => row[2])).toEqual(['1', '2', '4', '5'])
    expect(rows.every((row) => row.length === head?.length)).toBe(true)
    const cell = (row: number, name: string) => rows[row]?.[head?.indexOf(name) ?? -1]
    expect(cell(0, 'label')).toBe(`'=HYPERLINK("http://x"), and\nmore`)
    expect(cell(1, 'label')).toBe("'-1+1")
    expect(cell(2, 'tags')).toBe("'@home")
    expect(cell(2, 'safety')).toBe('toxicity: rude, "very"')
    expect(rows[2]?.[0]).toBe('letters/blocks.0.hook_resid_post/sae/4')
    expect(cell(2, 'context_1')).toBe('ab«e»d')
    expect(Number(cell(2, 'context_1_value'))).toBeCloseTo(0.4, 6)
    expect(cell(2, 'context_1_at')).toBe('0:18')
    expect([cell(2, 'context_3'), cell(2, 'context_3_value'), cell(2, 'context_3_at')]).toEqual(['', '', ''])
    expect(Number(cell(2, 'density'))).toBe(0.004)
  })

  it.each(['=1', '+1', '-1', '@x', '\tx', '\rx', "'quoted", "'=1"])(
    'defuses %j, and one apostrophe taken away gives it back',
    async (label) => {
      const made = await source('labelled')
      made.store.labels.choose(made.sae.id, 4, label, '')
      const rows = readCsv([...csvLines(made)].join(''))
      expect(rows.at(-1)?.[3]).toBe(`'${label}`)
    },
  )

  it('has no control characters, which end some programs’ reading', async () => {
    const made = await source('labelled')
    made.store.labels.choose(made.sae.id, 4, 'a\0b\u0007c\td', '')
    const text = [...csvLines(made)].join('')
    // eslint-disable-next-line no-control-regex -- they are what is looked for
    expect(text).not.toMatch(/[\u0000-\u0008\u000B\u000C\u000E-\u001F]/)
    expect(text).toContain('a\uFFFDb\uFFFDc\td')
  })
})

describe('JSONL', () => {
  it('says first where its figures come from, then one feature a line', async () => {
    const [head, ...features] = [...jsonLines(await source('all'))].map((line): unknown => JSON.parse(line))
    expect(head).toMatchObject({
      ...{ format: 'monoscope-catalog-2', program: 'Monoscope 1.2.3', features: 6, seed: 0 },
      ...{ model: { sha256: 'model-sha' }, sae: { sha256: 'sae-sha', hookName: 'blocks.0.hook_resid_post' } },
      atlas: { tokens: 1000, documents: 2, bosTokens: 1, sinkTokens: 1 },
    })
    expect(features).toHaveLength(6)
    expect(features[0]).toMatchObject({ index: 0, density: 0, contexts: [], label: null })
    expect(features[4]).toMatchObject({
      ...{ index: 4, label: 'plain', tags: ['@home'], firedTokens: 4, mean: 0.5 },
      labels: [
        { text: 'plain', chosen: true },
        { text: 'an older one', chosen: false },
      ],
      safety: [{ category: 'toxicity', reason: 'rude, "very"' }],
      intervals: { length: 7, 6: { from: 0, contexts: [{ documentIndex: 1 }] } },
      together: { sampledTokens: 32, features: { length: 5, 0: { index: 5, share: 1 } } },
      weights: {
        ...{ decoderNorm: 1, encoderCosine: 0.5, neighbours: { length: 5, 0: { index: 5 } } },
        logits: {
          top: { length: 10, 0: { id: 25, token: 'z', weight: 2.5 } },
          bottom: { length: 10 },
          min: 0,
          max: 2.5,
        },
      },
    })
    const { contexts } = features[4] as {
      contexts: { tokens: string[]; values: number[]; text: string; peak: number }[]
    }
    expect(contexts[0]).toMatchObject({ tokens: ['a', 'b', 'e', 'd'], text: 'abed', peak: 2 })
    expect(contexts[0]?.values[2]).toBeCloseTo(0.4, 3)
  })

  it('stops when the asker goes away', async () => {
    const stop = new AbortController()
    const lines = jsonLines({ ...(await source()), signal: stop.signal })
    lines.next()
    lines.next()
    stop.abort()
    expect(() => lines.next()).toThrow('cancelled')
  })
})

describe('new files', () => {
  it('take the next free number and a name every system takes', async () => {
    const folder = join(temporaryFolder(), 'made')
    const target = { folder, name: ' a/b: "c" 한국 ', extension: 'csv' }
    const first = await writeNewFile(target, ['one'])
    const second = await writeNewFile(target, ['two'])
    expect(readdirSync(folder).sort()).toEqual(['a-b-c-한국-2.csv', 'a-b-c-한국.csv'])
    expect([first, second].map(({ path }) => readFileSync(path, 'utf8'))).toEqual(['one', 'two'])
    expect(first.bytes).toBe(3)
  })

  it('leave nothing behind when the writing fails', async () => {
    const folder = temporaryFolder()
    function* broken() {
      yield 'one'
      throw new Error('no more')
    }
    await expect(writeNewFile({ folder, name: 'a', extension: 'csv' }, broken())).rejects.toThrow('no more')
    expect(readdirSync(folder)).toEqual([])
    mkdirSync(join(folder, 'a.csv'))
    expect((await writeNewFile({ folder, name: 'a', extension: 'csv' }, [''])).path).toBe(join(folder, 'a-2.csv'))
  })
})
