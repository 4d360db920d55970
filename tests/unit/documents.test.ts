/** Documents of text and JSONL files, and the refusals of what is no text. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { inspectDataset } from '../../src/main/files/documents'
import { firstInvalidByte } from '../../src/main/files/lines'
import { scratchFolder, textsOf } from './dataset-files'

const { path: folder, write, remove } = scratchFolder()
afterAll(remove)

const texts = (path: string, textField: string | null = 'text') => textsOf({ path, textField })

const long = (word: string) => `${word} `.repeat(60).trim()

describe('readDocuments', () => {
  it('reads JSONL with a mark, CRLF, empty lines and no last break', async () => {
    const path = write('a.jsonl', '\ufeff{"text":"하나"}\r\n\r\n{"text":"two","x":1}\n{"text":"  "}\n{"text":"세 🎈"}')
    expect(await texts(path)).toEqual(['하나', 'two', '세 🎈'])
  })

  it('takes the field that is asked for', async () => {
    const path = write('b.jsonl', '{"body":"x","text":"y"}\n')
    expect(await texts(path, 'body')).toEqual(['x'])
  })

  it('separates text at end-of-text lines when there are any', async () => {
    const path = write('c.txt', 'one\n\nstill one\n<|endoftext|>\ntwo\r\n<|endoftext|>\n')
    expect(await texts(path)).toEqual(['one\n\nstill one', 'two'])
  })

  it('otherwise joins paragraphs until they have 200 characters', async () => {
    const path = write('d.md', `${long('alpha')}\n\nshort\n\n${long('beta')}\n\n\n\nrest`)
    expect(await texts(path)).toEqual([long('alpha'), `short\n\n${long('beta')}`, 'rest'])
  })

  it('keeps characters whole that lie across the borders of chunks', async () => {
    const text = 'x'.repeat(1024 * 1024 - 1) + '한글'.repeat(50)
    expect(await texts(write('wide.txt', text))).toEqual([text])
  })
})

describe('refusals', () => {
  const refused = (path: string, textField = 'text') => inspectDataset({ path, textField })

  it('names the line that is no JSON object with a text', async () => {
    const broken = write('e.jsonl', '{"text":"ok"}\n\n{"text": 5}\n')
    await expect(refused(broken)).rejects.toMatchObject({
      code: 'dataset-line-invalid',
      details: { path: broken, line: 3, field: 'text' },
    })
    await expect(refused(write('f.jsonl', '{"text":"ok"\n'))).rejects.toMatchObject({ details: { line: 1 } })
    await expect(refused(write('g.jsonl', 'null\n'))).rejects.toMatchObject({ code: 'dataset-line-invalid' })
    await expect(refused(write('h.jsonl', '{"x":"y"}'), 'toString')).rejects.toMatchObject({
      code: 'dataset-line-invalid',
    })
  })

  it('gives the offset of the first byte that is not UTF-8', async () => {
    const bytes = new Uint8Array([...Buffer.from('ab\n한'), 0xff, 0x41])
    await expect(refused(write('i.txt', bytes))).rejects.toMatchObject({
      code: 'dataset-binary',
      details: { offset: 6 },
    })
    await expect(refused(write('j.txt', 'ab\0c'))).rejects.toMatchObject({ details: { offset: 2 } })
    await expect(refused(write('k.jsonl', Buffer.from('{"text":"x"}', 'utf16le')))).rejects.toMatchObject({
      code: 'dataset-binary',
      details: { offset: 1 },
    })
  })

  it('refuses empty files, folders without text and missing paths', async () => {
    await expect(refused(write('l.txt', ''))).rejects.toMatchObject({ code: 'dataset-empty' })
    await expect(refused(write('m.txt', ' \n\n\t'))).rejects.toMatchObject({ code: 'dataset-empty' })
    mkdirSync(join(folder, 'bare'))
    await expect(refused(join(folder, 'bare'))).rejects.toMatchObject({ code: 'dataset-files-missing' })
    await expect(refused(join(folder, 'none.txt'))).rejects.toMatchObject({ code: 'file-missing' })
  })

  it('finds each kind of invalid byte', () => {
    expect(firstInvalidByte(Buffer.from('한글 ok 🎈'))).toBe(-1)
    expect(firstInvalidByte(new Uint8Array([0x41, 0x80]))).toBe(1)
    expect(firstInvalidByte(new Uint8Array([0xed, 0xa0, 0x80]))).toBe(0)
    expect(firstInvalidByte(new Uint8Array([0x41, 0xe3, 0x81]))).toBe(1)
    expect(firstInvalidByte(new Uint8Array([0x41, 0, 0xff]))).toBe(1)
  })
})

describe('inspectDataset', () => {
  it('counts, measures and previews', async () => {
    const line = `{"text":"${'🎈'.repeat(400)}"}\n`
    const path = write('n.jsonl', line + line)
    const info = await inspectDataset({ path, textField: 'text' })
    expect(info).toMatchObject({
      ...{ format: 'jsonl', textField: 'text', files: 1, bytes: Buffer.byteLength(line) * 2 },
      ...{ documents: 2, deduplicate: false, duplicates: 0 },
    })
    expect(info.preview).toBe('🎈'.repeat(300))
    expect(info.sha256).toMatch(/^[0-9a-f]{64}$/)
    const text = await inspectDataset({ path: write('o.txt', 'abc'), textField: 'text' })
    expect(text).toMatchObject({
      format: 'text',
      textField: null,
      documents: 1,
      // sha256 of "abc", FIPS 180-2.
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    })
  })

  it('ends when nobody waits any more', async () => {
    const path = write('p.jsonl', '{"text":"a"}\n')
    const control = new AbortController()
    control.abort()
    await expect(inspectDataset({ path, textField: 'text' }, control.signal)).rejects.toMatchObject({
      code: 'cancelled',
    })
  })
})
