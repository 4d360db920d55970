/** Documents of text and JSONL files, and the refusals of what is no text. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inspectDataset, readDocuments } from '../../src/main/files/documents'
import { firstInvalidByte } from '../../src/main/files/lines'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'monoscope-documents-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function write(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

async function texts(path: string, textField: string | null = 'text'): Promise<string[]> {
  const found: string[] = []
  for await (const { index, text } of readDocuments({ path, textField })) {
    expect(index).toBe(found.length)
    found.push(text)
  }
  return found
}

const long = (word: string) => `${word} `.repeat(60).trim()

describe('readDocuments', () => {
  it('reads JSONL with a mark, CRLF, empty lines and no last break', async () => {
    const path = await write(
      'a.jsonl',
      '\ufeff{"text":"하나"}\r\n\r\n{"text":"two","x":1}\n{"text":"  "}\n{"text":"세 🎈"}',
    )
    expect(await texts(path)).toEqual(['하나', 'two', '세 🎈'])
  })

  it('takes the field that is asked for', async () => {
    const path = await write('b.jsonl', '{"body":"x","text":"y"}\n')
    expect(await texts(path, 'body')).toEqual(['x'])
  })

  it('separates text at end-of-text lines when there are any', async () => {
    const path = await write('c.txt', 'one\n\nstill one\n<|endoftext|>\ntwo\r\n<|endoftext|>\n')
    expect(await texts(path)).toEqual(['one\n\nstill one', 'two'])
  })

  it('otherwise joins paragraphs until they have 200 characters', async () => {
    const path = await write('d.md', `${long('alpha')}\n\nshort\n\n${long('beta')}\n\n\n\nrest`)
    expect(await texts(path)).toEqual([long('alpha'), `short\n\n${long('beta')}`, 'rest'])
  })

  it('reads the files of a folder by name and leaves others out', async () => {
    await mkdir(join(folder, 'set'))
    await write('set/2.txt', 'second')
    await write('set/1.jsonl', '{"text":"first"}\n')
    await write('set/image.png', new Uint8Array([0x89, 0x50, 0, 0]))
    expect(await texts(join(folder, 'set'))).toEqual(['first', 'second'])
  })

  it('keeps characters whole that lie across the borders of chunks', async () => {
    const text = 'x'.repeat(1024 * 1024 - 1) + '한글'.repeat(50)
    expect(await texts(await write('wide.txt', text))).toEqual([text])
  })
})

describe('refusals', () => {
  const refused = (path: string, textField = 'text') => inspectDataset({ path, textField })

  it('names the line that is no JSON object with a text', async () => {
    const broken = await write('e.jsonl', '{"text":"ok"}\n\n{"text": 5}\n')
    await expect(refused(broken)).rejects.toMatchObject({
      code: 'dataset-line-invalid',
      details: { path: broken, line: 3, field: 'text' },
    })
    await expect(refused(await write('f.jsonl', '{"text":"ok"\n'))).rejects.toMatchObject({ details: { line: 1 } })
    await expect(refused(await write('g.jsonl', 'null\n'))).rejects.toMatchObject({ code: 'dataset-line-invalid' })
    await expect(refused(await write('h.jsonl', '{"x":"y"}'), 'toString')).rejects.toMatchObject({
      code: 'dataset-line-invalid',
    })
  })

  it('gives the offset of the first byte that is not UTF-8', async () => {
    const bytes = new Uint8Array([...Buffer.from('ab\n한'), 0xff, 0x41])
    await expect(refused(await write('i.txt', bytes))).rejects.toMatchObject({
      code: 'dataset-binary',
      details: { offset: 6 },
    })
    await expect(refused(await write('j.txt', 'ab\0c'))).rejects.toMatchObject({ details: { offset: 2 } })
    await expect(refused(await write('k.jsonl', Buffer.from('{"text":"x"}', 'utf16le')))).rejects.toMatchObject({
      code: 'dataset-binary',
      details: { offset: 1 },
    })
  })

  it('refuses empty files, folders without text and missing paths', async () => {
    await expect(refused(await write('l.txt', ''))).rejects.toMatchObject({ code: 'dataset-empty' })
    await expect(refused(await write('m.txt', ' \n\n\t'))).rejects.toMatchObject({ code: 'dataset-empty' })
    await mkdir(join(folder, 'bare'))
    await expect(refused(join(folder, 'bare'))).rejects.toMatchObject({ code: 'dataset-empty' })
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
    const path = await write('n.jsonl', line + line)
    const info = await inspectDataset({ path, textField: 'text' })
    expect(info).toMatchObject({ format: 'jsonl', textField: 'text', documents: 2, bytes: Buffer.byteLength(line) * 2 })
    expect(info.preview).toBe('🎈'.repeat(300))
    expect(info.sha256).toMatch(/^[0-9a-f]{64}$/)
    const text = await inspectDataset({ path: await write('o.txt', 'abc'), textField: 'text' })
    expect(text).toMatchObject({
      format: 'text',
      textField: null,
      documents: 1,
      // sha256 of "abc", FIPS 180-2.
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    })
  })
})
